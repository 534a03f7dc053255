from __future__ import annotations

import base64

import pytest

from sfcode.errors import SignInError, UsageError
from sfcode.org import Runtime, connect
from sfcode.org.signin import sign_in

URL = "https://acme.my.salesforce.com"
TOKEN = "00D!secret-token"
PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
JWT = {"SF_CONSUMER_KEY": "3MVG", "SF_JWT_KEY": PEM, "SF_USERNAME": "ci@example.com"}
CLIENT = {"SF_CLIENT_ID": "3MVG", "SF_CLIENT_SECRET": "s3cret", "SF_ORG_INSTANCE_URL": URL}
AUTH_URL = {"SFDX_AUTH_URL": "force://PlatformCLI::5Aep.refresh@acme.my.salesforce.com"}
BOTH = {"SF_ACCESS_TOKEN": TOKEN, "SF_ORG_INSTANCE_URL": URL}


def test_a_token_and_its_url_make_a_session_without_a_request() -> None:
    with connect("env:", environ=BOTH, api_version="63.0") as org:
        assert org.instance_url == URL
        assert TOKEN not in repr(org)


def test_a_prefix_reads_the_same_names_with_it_in_front() -> None:
    environ = {f"PROD_{name}": value for name, value in BOTH.items()} | {"SF_ACCESS_TOKEN": "of another org"}
    grant = sign_in("env:PROD", environ, Runtime()).grant()
    assert grant.access_token.reveal() == TOKEN
    assert grant.instance_url == URL


def test_a_prefix_never_falls_back_to_the_names_without_it() -> None:
    with pytest.raises(SignInError, match="No sign-in method is configured for env:PROD") as caught:
        sign_in("env:PROD", BOTH, Runtime())
    assert "PROD_SF_ACCESS_TOKEN, PROD_SF_ORG_INSTANCE_URL" in caught.value.hint


def test_an_instance_url_takes_the_token_from_the_environment() -> None:
    with connect(f"{URL}/", environ={"SF_ACCESS_TOKEN": TOKEN}, api_version="63.0") as org:
        assert org.instance_url == URL


def test_a_url_is_refused_when_the_environment_names_another_org() -> None:
    """A config file must not be able to send a token to any address."""
    with pytest.raises(SignInError, match=r"The org is https://evil\.example, but SF_ORG_INSTANCE_URL is") as caught:
        sign_in("https://evil.example", BOTH, Runtime())
    assert TOKEN not in str(caught.value)


def test_an_org_on_this_machine_is_used_with_any_other_configuration() -> None:
    with connect("http://127.0.0.1:8300", environ=BOTH, api_version="63.0") as org:
        assert org.instance_url == "http://127.0.0.1:8300"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (BOTH | JWT | CLIENT | AUTH_URL, "SF_ACCESS_TOKEN"),
        (JWT | CLIENT | AUTH_URL, "SF_CONSUMER_KEY"),
        (CLIENT | AUTH_URL, "SF_CLIENT_ID"),
        (AUTH_URL, "SFDX_AUTH_URL"),
        ({"SF_ACCESS_TOKEN": TOKEN} | AUTH_URL, "SFDX_AUTH_URL"),
        ({"SF_ACCESS_TOKEN": " "} | CLIENT, "SF_CLIENT_ID"),
    ],
)
def test_the_first_complete_sign_in_method_is_used(environ: dict[str, str], expected: str) -> None:
    assert sign_in("env:", environ, Runtime()).name == expected


def test_without_a_sign_in_method_one_error_lists_all() -> None:
    with pytest.raises(SignInError) as caught:
        sign_in("env:", {}, Runtime())
    assert caught.value.hint.splitlines()[1:] == [
        "  - SF_ACCESS_TOKEN, SF_ORG_INSTANCE_URL",
        "  - SF_CONSUMER_KEY, SF_JWT_KEY or SF_JWT_KEY_FILE, SF_USERNAME",
        "  - SF_CLIENT_ID, SF_CLIENT_SECRET, SF_ORG_INSTANCE_URL",
        "  - SFDX_AUTH_URL",
        "or pass an org that the sf CLI is signed in to: alias:NAME.",
    ]


def test_an_incomplete_sign_in_method_lists_its_missing_variables() -> None:
    with pytest.raises(SignInError) as caught:
        sign_in("env:", {"SF_CONSUMER_KEY": "3MVG", "SF_USERNAME": "ci@example.com"}, Runtime())
    assert "SF_USERNAME (not set: SF_JWT_KEY or SF_JWT_KEY_FILE)" in caught.value.hint


def test_a_url_without_a_token_does_not_ask_for_the_url_again() -> None:
    with pytest.raises(SignInError, match=f"for {URL}") as caught:
        sign_in(URL, {}, Runtime())
    assert "  - SF_ACCESS_TOKEN\n" in caught.value.hint
    assert "SF_ORG_INSTANCE_URL" not in caught.value.hint


@pytest.mark.parametrize("target", ["", "uat", "alias:", "ftp://x", "local"])
def test_an_invalid_org_is_a_usage_error_with_the_accepted_forms(target: str) -> None:
    with pytest.raises(UsageError) as caught:
        sign_in(target, BOTH, Runtime())
    assert caught.value.hint


@pytest.mark.parametrize(
    "key",
    [PEM, base64.b64encode(PEM.encode()).decode(), PEM.replace("\n", "\\n")],
    ids=["pem", "base64", "escaped line breaks"],
)
def test_a_jwt_key_is_taken_in_the_forms_that_ci_systems_hold(key: str) -> None:
    grant = sign_in("env:", {**JWT, "SF_JWT_KEY": key}, Runtime()).grant
    assert grant.key.reveal().strip() == PEM.strip()


def test_a_jwt_key_is_read_from_a_file(tmp_path) -> None:
    file = tmp_path / "server.key"
    file.write_text(PEM)
    environ = {name: value for name, value in JWT.items() if name != "SF_JWT_KEY"} | {"SF_JWT_KEY_FILE": str(file)}
    assert sign_in("env:", environ, Runtime()).grant.key.reveal() == PEM


def test_a_missing_key_file_is_named(tmp_path) -> None:
    environ = {**JWT, "SF_JWT_KEY": "", "SF_JWT_KEY_FILE": str(tmp_path / "absent.key")}
    with pytest.raises(SignInError, match="absent.key cannot be read: No such file"):
        sign_in("env:", environ, Runtime())


@pytest.mark.parametrize("key", ["hunter2", base64.b64encode(b"hunter2").decode()])
def test_an_invalid_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SignInError, match="SF_JWT_KEY contains no private key") as caught:
        sign_in("env:", {**JWT, "SF_JWT_KEY": key}, Runtime())
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "audience", "token_url"),
    [
        ({}, "https://login.salesforce.com", "https://login.salesforce.com"),
        (
            {"SF_AUDIENCE_URL": "https://test.salesforce.com/"},
            "https://test.salesforce.com",
            "https://test.salesforce.com",
        ),
        ({"SF_ORG_INSTANCE_URL": URL}, "https://login.salesforce.com", URL),
        (
            {"SF_ORG_INSTANCE_URL": "https://acme--uat.sandbox.my.salesforce.com"},
            "https://test.salesforce.com",
            "https://acme--uat.sandbox.my.salesforce.com",
        ),
    ],
)
def test_the_audience_follows_from_the_org_unless_it_is_given(environ, audience, token_url) -> None:
    grant = sign_in("env:", JWT | environ, Runtime()).grant
    assert (grant.audience, grant.token_url) == (audience, token_url)


def test_no_sign_in_method_shows_its_secrets() -> None:
    for environ in (BOTH, JWT, CLIENT, AUTH_URL):
        text = repr(sign_in("env:", environ, Runtime()))
        assert not [secret for secret in (TOKEN, "AAAA", "s3cret", "5Aep.refresh") if secret in text]
