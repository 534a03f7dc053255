"""Client credentials, passwords, codes and refresh tokens, and the lifetime of their sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.local.conftest import HandClock, Rest
from tests.local.signin.conftest import ADMIN, CALLBACK, JWT_BEARER, KeyPair, OAuth
from tests.waiting import PATIENCE

PASSWORD = "correct horse"


def credentials_token(oauth: OAuth, **parameters: Any) -> str:
    return oauth.token(grant_type="client_credentials", **oauth.credentials(**parameters))["access_token"]


def set_password(oauth: OAuth, password: str = PASSWORD) -> None:
    user_id = oauth.rest.value(f"SELECT Id FROM User WHERE Username = '{ADMIN}'")
    answer = oauth.rest("POST", f"/sobjects/User/{user_id}/password", json={"NewPassword": password})
    assert answer.status_code == 204, answer.text


def authorize(oauth: OAuth, **query: Any) -> requests.Response:
    parameters = {"response_type": "code", "client_id": oauth.app["consumer_key"], "redirect_uri": CALLBACK} | query
    address = f"{oauth.rest.org.url}/services/oauth2/authorize"
    return requests.get(address, params=parameters, timeout=PATIENCE, allow_redirects=False)


def code(oauth: OAuth, **query: Any) -> str:
    answer = authorize(oauth, **query)
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def exchanged(oauth: OAuth, code_: str, **parameters: Any) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "code": code_, "redirect_uri": CALLBACK} | parameters
    return oauth.credentials() | form


@pytest.mark.parametrize("grant", ["", "implicit", "urn:ietf:params:oauth:grant-type:device_code"])
def test_other_grants_are_refused(oauth: OAuth, grant: str) -> None:
    assert oauth.refused(grant_type=grant) == ("unsupported_grant_type", "grant type not supported")


def test_an_app_signs_in_as_its_run_as_user(oauth: OAuth) -> None:
    answer = oauth.token(grant_type="client_credentials", **oauth.credentials())
    signed = hmac.new(
        oauth.app["consumer_secret"].encode(), f"{answer['id']}{answer['issued_at']}".encode(), hashlib.sha256
    )
    assert answer["signature"] == base64.b64encode(signed.digest()).decode()
    assert oauth.works(answer["access_token"])


def test_credentials_may_come_in_the_header(oauth: OAuth) -> None:
    answer = requests.post(
        f"{oauth.rest.org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(oauth.app["consumer_key"], oauth.app["consumer_secret"]),
        timeout=PATIENCE,
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache, no-store"


def test_a_form_may_come_in_chunks(oauth: OAuth) -> None:
    """The sf CLI sends its forms in chunks, without a length."""
    form = f"grant_type=client_credentials&client_id={oauth.app['consumer_key']}"
    chunks = (part.encode() for part in (form, f"&client_secret={oauth.app['consumer_secret']}"))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{oauth.rest.org.url}/services/oauth2/token"
    assert requests.post(url, data=chunks, headers=headers, timeout=PATIENCE).status_code == 200


def test_wrong_credentials_are_refused(oauth: OAuth) -> None:
    wrong = oauth.credentials(client_secret="wrong")
    assert oauth.refused(grant_type="client_credentials", **wrong) == ("invalid_client", "invalid client credentials")
    unknown = oauth.credentials(client_id="nobody")
    expected = ("invalid_client_id", "client identifier invalid")
    assert oauth.refused(grant_type="client_credentials", **unknown) == expected


def test_an_app_without_a_run_as_user_cannot_sign_in_by_itself(oauth: OAuth) -> None:
    app = oauth.register(name="Nobody")
    expected = ("invalid_grant", "no client credentials user enabled")
    assert oauth.refused(grant_type="client_credentials", **oauth.credentials(app)) == expected


def test_a_deactivated_user_gets_no_token(oauth: OAuth) -> None:
    profile = oauth.rest.value("SELECT Id FROM Profile WHERE Name = 'Minimum Access - Salesforce'")
    username = "left@northwind.example"
    user_id = oauth.rest.create(
        "User",
        Username=username,
        LastName="Left",
        Alias="left",
        Email=username,
        ProfileId=profile,
        TimeZoneSidKey="GMT",
        LocaleSidKey="en_US",
        EmailEncodingKey="UTF-8",
        LanguageLocaleKey="en_US",
    )
    app = oauth.register(name="Left", run_as=username)
    form = oauth.credentials(app, grant_type="client_credentials")
    token = oauth.token(**form)["access_token"]
    assert oauth.rest("PATCH", f"/sobjects/User/{user_id}", json={"IsActive": False}).status_code == 204
    assert oauth.refused(**form) == ("inactive_user", "user is inactive")
    assert not oauth.works(token)


def test_a_session_ends_two_hours_after_its_last_use(oauth: OAuth, clock: HandClock) -> None:
    token = credentials_token(oauth)
    for _ in range(3):
        clock.wait(minutes=90)
        assert oauth.works(token)
    clock.wait(minutes=120)
    assert not oauth.works(token)


def test_use_in_the_first_half_of_a_session_does_not_prolong_it(oauth: OAuth, clock: HandClock) -> None:
    """The rule is that of a real org: https://help.salesforce.com/s/articleView?id=sf.admin_sessions.htm ."""
    token = credentials_token(oauth)
    clock.wait(minutes=30)
    assert oauth.works(token)
    clock.wait(minutes=90)
    assert not oauth.works(token)


def test_an_app_may_have_shorter_sessions(oauth: OAuth, clock: HandClock) -> None:
    app = oauth.register(name="Short", run_as=ADMIN, session_minutes=15)
    token = oauth.token(grant_type="client_credentials", **oauth.credentials(app))["access_token"]
    clock.wait(minutes=16)
    assert not oauth.works(token)


def test_the_token_that_serve_prints_does_not_expire(oauth: OAuth, clock: HandClock) -> None:
    clock.wait(days=400)
    assert oauth.works(oauth.rest.org.access_token)


def test_soap_ends_with_the_session_too(oauth: OAuth, clock: HandClock) -> None:
    token = credentials_token(oauth)
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><m:SessionHeader '
        f'xmlns:m="http://soap.sforce.com/2006/04/metadata"><m:sessionId>{token}</m:sessionId></m:SessionHeader>'
        '</e:Header><e:Body><m:describeMetadata xmlns:m="http://soap.sforce.com/2006/04/metadata"/></e:Body></e:Envelope>'
    )
    url = f"{oauth.rest.org.url}/services/Soap/m/62.0"
    assert requests.post(url, data=body, timeout=PATIENCE).status_code == 200
    clock.wait(hours=3)
    answer = requests.post(url, data=body, timeout=PATIENCE)
    assert (answer.status_code, "sf:INVALID_SESSION_ID" in answer.text) == (500, True)


def test_a_revoked_token_is_refused(oauth: OAuth) -> None:
    token = credentials_token(oauth)
    assert oauth.post("revoke", token=token).status_code == 200
    assert not oauth.works(token)
    response = oauth.post("revoke", token=token)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_token")


def test_tokens_are_introspected_by_apps_only(oauth: OAuth, clock: HandClock) -> None:
    token = credentials_token(oauth)
    form = oauth.credentials(token=token, token_type_hint="access_token")
    answer = oauth.post("introspect", **form).json()
    now = int(clock.now().timestamp())
    assert (answer["active"], answer["username"], answer["client_id"]) == (True, ADMIN, oauth.app["consumer_key"])
    assert (answer["iat"], answer["exp"]) == (now, now + 7200)
    clock.wait(hours=3)
    assert oauth.post("introspect", **form).json() == {"active": False}
    assert oauth.post("introspect", token=token).json()["error"] == "invalid_client"


def test_a_code_gives_a_token_and_a_refresh_token(oauth: OAuth) -> None:
    answer = oauth.token(**exchanged(oauth, code(oauth)))
    assert oauth.works(answer["access_token"])
    form = oauth.credentials(grant_type="refresh_token", refresh_token=answer["refresh_token"])
    renewed = oauth.token(**form)
    assert oauth.works(renewed["access_token"])
    assert renewed["access_token"] != answer["access_token"]
    assert "refresh_token" not in renewed


def test_without_the_scope_there_is_no_refresh_token(oauth: OAuth) -> None:
    assert "refresh_token" not in oauth.token(**exchanged(oauth, code(oauth, scope="api")))


def test_the_state_parameter_is_returned(oauth: OAuth) -> None:
    location = authorize(oauth, state="x y").headers["Location"]
    assert location.startswith(f"{CALLBACK}?")
    assert parse_qs(urlsplit(location).query)["state"] == ["x y"]


def test_a_code_works_once(oauth: OAuth) -> None:
    granted_code = code(oauth)
    oauth.token(**exchanged(oauth, granted_code))
    assert oauth.refused(**exchanged(oauth, granted_code)) == ("invalid_grant", "invalid authorization code")


def test_a_code_is_used_up_by_a_failed_attempt(oauth: OAuth) -> None:
    granted_code = code(oauth)
    assert oauth.refused(**exchanged(oauth, granted_code, client_secret="wrong"))[0] == "invalid_client"
    assert oauth.refused(**exchanged(oauth, granted_code)) == ("invalid_grant", "invalid authorization code")


def test_a_code_expires(oauth: OAuth, clock: HandClock) -> None:
    granted_code = code(oauth)
    clock.wait(minutes=16)
    assert oauth.refused(**exchanged(oauth, granted_code)) == ("invalid_grant", "expired authorization code")


def test_a_code_challenge_requires_its_verifier(oauth: OAuth) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")
    wrong = exchanged(oauth, code(oauth, code_challenge=challenge), code_verifier="other")
    assert oauth.refused(**wrong) == ("invalid_grant", "invalid code verifier")
    assert oauth.token(**exchanged(oauth, code(oauth, code_challenge=challenge), code_verifier="verifier"))


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"redirect_uri": "http://evil.example/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": ""}, "redirect_uri_mismatch"),
    ],
)
def test_an_unregistered_callback_url_is_refused(oauth: OAuth, query: dict[str, str], error: str) -> None:
    answer = authorize(oauth, **query)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"login_hint": "nobody@northwind.example"}, "access_denied"),
    ],
)
def test_a_refused_authorization_redirects_with_an_error(oauth: OAuth, query: dict[str, str], error: str) -> None:
    location = authorize(oauth, **query).headers["Location"]
    assert parse_qs(urlsplit(location).query)["error"] == [error]


def test_a_user_who_approved_an_app_can_be_signed_in_by_it(oauth: OAuth, keys: KeyPair) -> None:
    oauth.app = oauth.register(
        name="Open", certificate=keys.certificate, permitted_users="all", callback_urls=[CALLBACK]
    )
    form = {"grant_type": JWT_BEARER, "assertion": oauth.assertion()}
    assert oauth.refused(**form) == ("invalid_grant", "user hasn't approved this consumer")
    oauth.token(**exchanged(oauth, code(oauth)))
    assert oauth.works(oauth.token(**form)["access_token"])


def test_revoking_a_refresh_token_ends_its_sessions(oauth: OAuth) -> None:
    answer = oauth.token(**exchanged(oauth, code(oauth)))
    assert oauth.post("revoke", token=answer["refresh_token"]).status_code == 200
    assert not oauth.works(answer["access_token"])
    form = oauth.credentials(grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert oauth.refused(**form) == ("invalid_grant", "expired access/refresh token")


def test_codes_and_refresh_tokens_are_not_interchangeable(oauth: OAuth) -> None:
    granted_code = code(oauth)
    assert (
        oauth.refused(**oauth.credentials(grant_type="refresh_token", refresh_token=granted_code))[0] == "invalid_grant"
    )
    refresh = oauth.token(**exchanged(oauth, granted_code))["refresh_token"]
    assert oauth.refused(**exchanged(oauth, refresh)) == ("invalid_grant", "invalid authorization code")


def test_a_public_app_renews_without_a_secret(oauth: OAuth) -> None:
    oauth.app = oauth.register(name="Public", consumer_secret="", users=[ADMIN], callback_urls=[CALLBACK])
    form = {key: value for key, value in exchanged(oauth, code(oauth)).items() if key != "client_secret"}
    refresh = oauth.token(**form)["refresh_token"]
    client_id = oauth.app["consumer_key"]
    assert oauth.token(grant_type="refresh_token", refresh_token=refresh, client_id=client_id)["access_token"]
    assert oauth.refused(grant_type="client_credentials", client_id=client_id)[0] == "invalid_client"


def test_a_password_gives_a_token(oauth: OAuth) -> None:
    form = oauth.credentials(grant_type="password", username=ADMIN, password=PASSWORD)
    assert oauth.refused(**form) == ("invalid_grant", "authentication failure")
    set_password(oauth)
    assert oauth.works(oauth.token(**form)["access_token"])
    assert oauth.refused(**form | {"password": "wrong"}) == ("invalid_grant", "authentication failure")


def test_passwords_are_kept_as_hashes(oauth: OAuth, state: Any) -> None:
    set_password(oauth, "a very unusual secret")
    content = b"".join(path.read_bytes() for path in state.iterdir() if path.is_file())
    assert b"a very unusual secret" not in content


def test_a_password_is_set_as_in_an_org(oauth: OAuth) -> None:
    user_id = oauth.rest.value(f"SELECT Id FROM User WHERE Username = '{ADMIN}'")
    path = f"/sobjects/User/{user_id}/password"
    assert oauth.rest("GET", path).json() == {"isExpired": False}
    assert oauth.rest.error("POST", path, json={"NewPassword": "short"})[1] == "INVALID_NEW_PASSWORD"
    assert oauth.rest.error("POST", path, json={})[1] == "REQUIRED_FIELD_MISSING"
    new_password = oauth.rest("DELETE", path).json()["NewPassword"]
    form = oauth.credentials(grant_type="password", username=ADMIN, password=new_password)
    assert oauth.works(oauth.token(**form)["access_token"])
    assert oauth.rest.error("GET", "/sobjects/User/005000000000000AAA/password")[0] == 404


def test_identity_takes_the_token_from_the_address(oauth: OAuth) -> None:
    answer = oauth.token(grant_type="client_credentials", **oauth.credentials())
    url = f"{answer['id']}?format=json&oauth_token={answer['access_token']}"
    assert requests.get(url, timeout=PATIENCE).json()["username"] == ADMIN


def test_apps_are_listed_without_their_secrets_and_forgotten(oauth: OAuth, rest: Rest) -> None:
    url = f"{rest.org.url}/services/sfcode/apps"
    token = credentials_token(oauth)
    (listed,) = rest.session.get(url).json()
    assert listed == {key: value for key, value in oauth.app.items() if key != "consumer_secret"}
    assert rest.session.delete(f"{url}/{oauth.app['consumer_key']}").status_code == 204
    assert rest.session.get(url).json() == []
    assert not oauth.works(token)
    assert rest.session.delete(f"{url}/{oauth.app['consumer_key']}").status_code == 404


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "name: an app needs a name"),
        ({"name": "x", "color": "red"}, "color: an app has no such setting"),
        ({"name": "x", "certificate": "nonsense"}, "certificate: this is neither"),
        ({"name": "x", "permitted_users": "some"}, "permitted_users: there is no policy some"),
        ({"name": "x", "session_minutes": 0}, "session_minutes: this must be a number of minutes"),
        ({"name": "x", "users": "me"}, "users: this must be a list of names"),
        ({"name": 7}, "name: this must be text"),
    ],
)
def test_an_inconsistent_app_is_refused(rest: Rest, settings: dict[str, Any], text: str) -> None:
    answer = rest.session.post(f"{rest.org.url}/services/sfcode/apps", json=settings)
    assert answer.status_code == 400
    assert text in answer.json()[0]["message"]


def test_only_the_administrator_registers_apps(rest: Rest) -> None:
    answer = requests.post(f"{rest.org.url}/services/sfcode/apps", json={"name": "x"}, timeout=PATIENCE)
    assert answer.status_code == 401
