from __future__ import annotations

import base64
import json

import pytest

from sfcode.errors import SignInError
from sfcode.org.signin.auth_url import parse

URL = "force://3MVG9.abc_1==:S3CRET-1:5Aep861.tok_en==@acme.my.salesforce.com"
ENVELOPE = json.dumps({"status": 0, "result": {"sfdxAuthUrl": URL, "username": "a@b.c"}}, indent=2)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [URL, f"{URL}\n", ENVELOPE, json.dumps({"sfdxAuthUrl": URL}), encoded(URL), encoded(ENVELOPE)],
    ids=["raw", "with a line break", "sf's JSON", "bare JSON", "base64", "base64 of JSON"],
)
def test_an_auth_url_is_read_in_every_form_that_ci_systems_store(text: str) -> None:
    parts = parse(text, "SFDX_AUTH_URL")
    assert parts.client_id == "3MVG9.abc_1=="
    assert parts.client_secret.reveal() == "S3CRET-1"
    assert parts.refresh_token.reveal() == "5Aep861.tok_en=="
    assert parts.instance_url == "https://acme.my.salesforce.com"


def test_the_client_secret_may_be_empty() -> None:
    parts = parse("force://PlatformCLI::5Aep@127.0.0.1:8443", "SFDX_AUTH_URL")
    assert not parts.client_secret
    assert parts.instance_url == "https://127.0.0.1:8443"


@pytest.mark.parametrize(
    "text",
    [
        "force://onlytoken@host",
        "https://x",
        "5Aep.secret",
        "{}",
        '{"result": 1}',
        "[REDACTED] Use 'sf ...' to view",
        "==",
    ],
)
def test_an_invalid_auth_url_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SignInError, match="SFDX_AUTH_URL contains no SFDX auth URL") as caught:
        parse(text, "SFDX_AUTH_URL")
    assert "5Aep.secret" not in str(caught.value)
    assert "show-sfdx-auth-url" in caught.value.hint
