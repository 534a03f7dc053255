"""Sign-in with an assertion that an app has signed."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from tests.local.conftest import NOON
from tests.local.signin.conftest import ADMIN, JWT_BEARER, KeyPair, OAuth, key_pair


def signed_in(oauth: OAuth, **claims: Any) -> dict[str, Any]:
    return oauth.token(grant_type=JWT_BEARER, assertion=oauth.assertion(**claims))


def refused(oauth: OAuth, **claims: Any) -> tuple[str, str]:
    return oauth.refused(grant_type=JWT_BEARER, assertion=oauth.assertion(**claims))


def test_a_token_response_has_instance_url_and_identity(oauth: OAuth) -> None:
    answer = signed_in(oauth)
    assert answer["instance_url"] == oauth.rest.org.url
    assert answer["id"].startswith(f"{oauth.rest.org.url}/id/{oauth.rest.org.org_id}/005")
    assert answer["token_type"] == "Bearer"
    assert "refresh_token" not in answer
    assert answer["access_token"].startswith(f"{oauth.rest.org.org_id[:15]}!")
    assert oauth.works(answer["access_token"])


def test_no_two_sign_ins_share_a_token(oauth: OAuth) -> None:
    assert signed_in(oauth)["access_token"] != signed_in(oauth)["access_token"]


SECONDS = int(NOON.timestamp())


@pytest.mark.parametrize("exp", [SECONDS + 1, (SECONDS + 180) * 1000, str(SECONDS + 60), SECONDS + 86_400])
def test_an_expiry_is_accepted_in_each_form_that_clients_send(oauth: OAuth, exp: Any) -> None:
    """The sf CLI sends milliseconds, and simple-salesforce sends text; lifetimes longer than five minutes are accepted."""
    assert jwt.decode(oauth.assertion(exp=exp), options={"verify_signature": False})["exp"] == exp
    assert oauth.works(signed_in(oauth, exp=exp)["access_token"])


@pytest.mark.parametrize("exp", [SECONDS, SECONDS - 60, (SECONDS - 60) * 1000, 0, "soon", "nan", "inf", None])
def test_an_expired_assertion_is_refused(oauth: OAuth, exp: Any) -> None:
    assert refused(oauth, exp=exp) == ("invalid_grant", "expired authorization code")


@pytest.mark.parametrize("end", ["", "/", "/services/oauth2/token"])
def test_the_org_is_an_audience_with_and_without_a_slash(oauth: OAuth, end: str) -> None:
    assert oauth.works(signed_in(oauth, aud=oauth.rest.org.url + end)["access_token"])


def test_the_login_page_of_production_is_an_audience(oauth: OAuth) -> None:
    assert signed_in(oauth, aud="https://login.salesforce.com")
    assert refused(oauth, aud="https://test.salesforce.com") == ("invalid_grant", "audience is invalid")


@pytest.mark.parametrize("aud", ["https://example.com", "", None, "http://127.0.0.1"])
def test_another_audience_is_refused(oauth: OAuth, aud: Any) -> None:
    assert refused(oauth, aud=aud) == ("invalid_grant", "audience is invalid")


def test_another_key_is_refused(oauth: OAuth) -> None:
    other_keys = key_pair()
    assert refused(oauth, private=other_keys.private) == ("invalid_grant", "invalid assertion")


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c"])
def test_malformed_assertions_are_refused(oauth: OAuth, text: str) -> None:
    assert oauth.refused(grant_type=JWT_BEARER, assertion=text) == ("invalid_grant", "invalid assertion")


def test_a_signature_that_everybody_could_make_is_refused(oauth: OAuth) -> None:
    """An assertion without an algorithm is refused, and so is one with the public certificate as a shared secret."""
    claims = jwt.decode(oauth.assertion(), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, "none")
    assert oauth.refused(grant_type=JWT_BEARER, assertion=unsigned) == ("invalid_grant", "invalid assertion")
    shared = oauth.assertion(algorithm="HS256", private="x" * 64)
    assert oauth.refused(grant_type=JWT_BEARER, assertion=shared) == ("invalid_grant", "invalid assertion")


def test_an_unknown_app_is_refused(oauth: OAuth) -> None:
    assert refused(oauth, iss="3MVG9nobody") == ("invalid_client_id", "client identifier invalid")


def test_an_app_without_a_certificate_is_refused(oauth: OAuth) -> None:
    app = oauth.register(name="No certificate", users=[ADMIN])
    assert refused(oauth, iss=app["consumer_key"]) == ("invalid_grant", "invalid assertion")


def test_an_unknown_user_is_refused(oauth: OAuth) -> None:
    assert refused(oauth, sub="nobody@northwind.example") == ("invalid_grant", "user hasn't approved this consumer")


def test_a_user_whom_no_administrator_approved_is_refused(oauth: OAuth, keys: KeyPair) -> None:
    app = oauth.register(name="Closed", certificate=keys.certificate)
    expected = ("invalid_app_access", "user is not admin approved to access this app")
    assert refused(oauth, iss=app["consumer_key"]) == expected


def test_users_are_approved_by_profile_and_by_permission_set(oauth: OAuth, keys: KeyPair) -> None:
    app = oauth.register(name="By profile", certificate=keys.certificate, profiles=["System Administrator"])
    assert oauth.works(signed_in(oauth, iss=app["consumer_key"])["access_token"])
    by_set = oauth.register(name="By set", certificate=keys.certificate, permission_sets=["Nobody_has_it"])
    assert refused(oauth, iss=by_set["consumer_key"])[0] == "invalid_app_access"


def test_where_users_decide_they_must_have_decided_before(oauth: OAuth, keys: KeyPair) -> None:
    app = oauth.register(name="Open", certificate=keys.certificate, permitted_users="all")
    expected = ("invalid_grant", "user hasn't approved this consumer")
    assert refused(oauth, iss=app["consumer_key"]) == expected


def test_a_public_key_is_accepted_instead_of_a_certificate(oauth: OAuth, keys: KeyPair) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(keys.private.encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    app = oauth.register(name="Key", certificate=public.decode(), users=[ADMIN])
    assert oauth.works(signed_in(oauth, iss=app["consumer_key"])["access_token"])
