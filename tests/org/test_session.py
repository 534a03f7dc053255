"""One renewal when the org refuses the token, for SOAP and REST alike."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from sfcode.errors import SignInError
from sfcode.org import Org, Runtime
from sfcode.org.connection import Connection
from sfcode.org.session import Grant, Session, SignIn
from sfcode.secret import Secret
from tests.org.servers import Answer, Request, as_json, fault, serving, soap

EXPIRED = as_json([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)


def renewing(url: str, *, renewable: bool = True) -> SignIn:
    """Return a sign-in that returns token-1, then token-2, and so on."""
    number = count(1)
    return SignIn("a test", "Sign in.", lambda: Grant(Secret(f"token-{next(number)}"), url), renewable=renewable)


def accepts(token: str):
    """Serve REST and SOAP, but accept only one token."""

    def answer(request: Request) -> Answer:
        if request.path.startswith("/services/Soap"):
            if f">{token}<".encode() in request.body:
                return soap("describeMetadata", "<organizationNamespace/>")
            return fault("INVALID_SESSION_ID", "Invalid Session ID")
        if request.headers.get("Authorization") != f"Bearer {token}":
            return EXPIRED
        return as_json({"totalSize": 1, "done": True, "records": [{"attributes": {}, "Id": "1"}]})

    return answer


@pytest.mark.parametrize(
    "call", [lambda org: org.query("SELECT Id FROM User"), lambda org: org.metadata.describe_metadata()]
)
def test_a_refused_token_is_renewed_once_and_the_call_repeated(call, runtime: Runtime) -> None:
    with serving(accepts("token-2")) as server, Org(Connection(renewing(server.url), {}, "63.0", runtime)) as org:
        assert call(org)
        assert len(server.requests) == 2
        assert call(org)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "call", [lambda org: org.query("SELECT Id FROM User"), lambda org: org.metadata.describe_metadata()]
)
def test_a_second_refusal_is_an_error(call, runtime: Runtime) -> None:
    with serving(accepts("none")) as server, Org(Connection(renewing(server.url), {}, "63.0", runtime)) as org:
        with pytest.raises(SignInError) as caught:
            call(org)
        assert caught.value.code == "INVALID_SESSION_ID"
        assert caught.value.hint == "Sign in."
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "call", [lambda org: org.query("SELECT Id FROM User"), lambda org: org.metadata.describe_metadata()]
)
def test_a_token_that_cannot_be_renewed_ends_with_the_hint(call, runtime: Runtime) -> None:
    with serving(accepts("none")) as server:
        sign_in = renewing(server.url, renewable=False)
        with Org(Connection(sign_in, {}, "63.0", runtime)) as org, pytest.raises(SignInError, match="expired, ended"):
            call(org)
        assert len(server.requests) == 1


def test_a_deploy_that_met_an_ended_session_is_sent_again(runtime: Runtime) -> None:
    """The org did nothing, so the repeated call has no second effect."""
    from sfcode.org import DeployOptions

    def answer(request: Request) -> Answer:
        if b">token-2<" in request.body:
            return soap("deploy", "<done>false</done><id>0Af000000000001AAA</id><state>Queued</state>")
        return fault("INVALID_SESSION_ID", "Invalid Session ID")

    with serving(answer) as server, Org(Connection(renewing(server.url), {}, "63.0", runtime)) as org:
        assert org.metadata.deploy(b"zip", DeployOptions()) == "0Af000000000001AAA"
        assert len(server.requests) == 2


def test_threads_that_are_refused_together_renew_once() -> None:
    session = Session(renewing("https://acme.example"))
    refused = session.token
    threads = [threading.Thread(target=session.renew, args=(refused,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.token.reveal() == "token-2"


def test_a_renewal_that_leads_to_another_org_is_refused() -> None:
    urls = iter(["https://one.example", "https://two.example"])
    session = Session(SignIn("a test", "", lambda: Grant(Secret("t"), next(urls)), renewable=True))
    with pytest.raises(SignInError, match=r"led to https://two\.example, not to https://one\.example"):
        session.renew(session.token)
