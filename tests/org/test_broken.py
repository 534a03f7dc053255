"""Failing servers: each failure ends in one clear error, in bounded time and memory."""

from __future__ import annotations

import random
import socket
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest
import requests

from sfcode.errors import OrgError, OrgUnreachable
from sfcode.org import DeployOptions, Org, Runtime, connect
from sfcode.org.retry import ATTEMPTS, NoAnswer
from sfcode.org.session import Grant
from sfcode.org.signin.oauth import request_token
from sfcode.org.transport import translate_errors
from tests.org.servers import TOKEN, Answer, HangUp, Request, as_json, fault, refusing, script, serving, soap
from tests.waiting import PATIENCE

QUEUED = soap("deploy", "<done>false</done><id>0Af000000000001AAA</id><state>Queued</state>")
LISTED = soap("listMetadata", "<fullName>F</fullName><type>Flow</type>")
ROWS = as_json({"totalSize": 1, "done": True, "records": [{"attributes": {"type": "User"}, "Id": "005"}]})
SELECT = "SELECT Id FROM User"


@pytest.mark.parametrize("trouble", [HangUp, Answer(503, b"<html>busy</html>"), Answer(502), Answer(500, b"oops")])
def test_a_read_is_retried_after_a_temporary_failure(org_at, trouble, time) -> None:
    server, org = org_at(script(trouble, trouble, LISTED))
    assert [file.full_name for file in org.metadata.list_metadata("Flow")] == ["F"]
    assert len(server.requests) == 3
    assert len(time.slept) == 2


@pytest.mark.parametrize("trouble", [HangUp, Answer(503, b"<html>busy</html>"), Answer(200, b"<html>{")])
def test_a_query_is_retried_after_a_temporary_failure(org_at, trouble, time) -> None:
    server, org = org_at(script(trouble, ROWS))
    assert org.query(SELECT) == [{"Id": "005"}]
    assert len(server.requests) == 2


@pytest.mark.parametrize("trouble", [HangUp, Answer(503, b"busy"), Answer(504)])
def test_a_deploy_whose_answer_is_lost_is_never_sent_again(org_at, trouble, time) -> None:
    server, org = org_at(script(trouble, QUEUED))
    with pytest.raises(OrgUnreachable, match="it may or may not be running") as caught:
        org.metadata.deploy(b"zip", DeployOptions())
    assert len(server.requests) == 1
    assert "Deployment Status" in caught.value.hint
    assert time.slept == []


@pytest.mark.parametrize("trouble", [HangUp, Answer(503, b"busy")])
def test_a_record_whose_creation_is_unclear_is_not_created_again(org_at, trouble) -> None:
    server, org = org_at(script(trouble, as_json({"id": "1"}, 201)))
    with pytest.raises(OrgUnreachable):
        org.create("Contact", {"LastName": "Lovelace"})
    assert len(server.requests) == 1


def test_a_deploy_without_a_connection_is_retried_with_a_message(runtime: Runtime, time) -> None:
    with (
        refusing() as url,
        connect(url, environ={"SF_ACCESS_TOKEN": TOKEN}, api_version="63.0", runtime=runtime) as org,
    ):
        with pytest.raises(NoAnswer, match=r"^No connection to 127\.0\.0\.1:\d+: Connection refused\.\n") as caught:
            org.metadata.deploy(b"zip", DeployOptions())
        assert caught.value.sent is False
    assert len(time.slept) == ATTEMPTS - 1


def test_lasting_failures_are_reported_as_unreachable(org_at) -> None:
    server, org = org_at(script(Answer(503, b"busy")))
    with pytest.raises(OrgUnreachable, match="answered 503 Service Unavailable"):
        org.metadata.list_metadata("Flow")
    assert len(server.requests) == ATTEMPTS


UNAVAILABLE = as_json([{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}], 503)
HTML = Answer(503, b"<html>busy</html>")
IDENTITY = as_json({"preferred_username": "u", "user_id": "005"})
JOB = as_json({"id": "750", "state": "JobComplete"})
GRANT = as_json({"access_token": "t", "instance_url": "https://x.example.com"})


Call = tuple[Answer, Answer, Callable[[Org], object]]
"""The response that asks the client to wait, the response after it, and the call."""


def ask_for_token(org: Org) -> Grant:
    return request_token(org.instance_url, {"grant_type": "x"}, {}, org.runtime, "an app")


@pytest.mark.parametrize("is_date", [False, True])
@pytest.mark.parametrize(
    "call",
    [
        (HTML, LISTED, lambda org: org.metadata.list_metadata("Flow")),
        (fault("SERVER_UNAVAILABLE", "busy"), LISTED, lambda org: org.metadata.list_metadata("Flow")),
        (HTML, ROWS, lambda org: org.query(SELECT)),
        (UNAVAILABLE, ROWS, lambda org: org.query(SELECT)),
        (UNAVAILABLE, as_json({"fields": []}), lambda org: org._rest.describe("User")),
        (UNAVAILABLE, IDENTITY, lambda org: org.get("/services/oauth2/userinfo")),
        (UNAVAILABLE, JOB, lambda org: org.bulk.job("750")),
        (HTML, JOB, lambda org: org.bulk.job("750")),
        (HTML, GRANT, ask_for_token),
        (as_json({"error": "unavailable"}, 503), GRANT, ask_for_token),
        (as_json({"error": "rate"}, 429), GRANT, ask_for_token),
    ],
)
def test_every_call_waits_as_long_as_the_org_asks(org_at, time, call: Call, is_date: bool) -> None:
    trouble, answer, ask = call
    wait = formatdate(real_time.time() + 20, usegmt=True) if is_date else "20"
    _, org = org_at(script(Answer(trouble.status, trouble.body, {**trouble.headers, "Retry-After": wait}), answer))
    ask(org)
    assert time.slept == [pytest.approx(20, abs=5 if is_date else 0)]


@pytest.mark.parametrize("ask", [lambda org: org.query(SELECT), lambda org: org.bulk.job("750"), ask_for_token])
def test_a_retry_after_that_is_too_long_is_part_of_the_error(org_at, time, ask) -> None:
    _, org = org_at(script(Answer(503, UNAVAILABLE.body, {**UNAVAILABLE.headers, "Retry-After": "3600"})))
    with pytest.raises(OrgError) as caught:
        ask(org)
    assert caught.value.retry_after == 3600
    assert time.slept == []


def test_a_wait_belongs_to_the_response_that_asked_for_it(org_at) -> None:
    asking = Answer(503, UNAVAILABLE.body, {**UNAVAILABLE.headers, "Retry-After": "1"})
    _, org = org_at(script(asking, as_json([{"errorCode": "MALFORMED_QUERY", "message": "no"}], 400)))
    with pytest.raises(OrgError, match="MALFORMED_QUERY") as caught:
        org.query(SELECT)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "body", [b"<html><body>Down for maintenance</body></html>", b"\x00\xff garbage", b"", b"<!DOCTYPE html><p>", b"{}"]
)
def test_a_response_that_is_not_soap_is_reported(org_at, body: bytes) -> None:
    server, org = org_at(script(Answer(200, body)))
    with pytest.raises(OrgError, match="The org's response"):
        org.metadata.list_metadata("Flow")
    assert len(server.requests) == 1


@pytest.mark.parametrize("document", [{}, [], {"records": 5}, {"done": True}, "text", None])
def test_json_of_another_structure_is_reported(org_at, document) -> None:
    _, org = org_at(script(as_json(document)))
    for ask in (org.query, org.tooling_query, org.count):
        with pytest.raises(OrgError, match="sent an unexpected response"):
            ask(SELECT)


@pytest.mark.parametrize("row", [None, 5, "text"])
def test_a_row_that_is_no_record_is_reported(org_at, row) -> None:
    _, org = org_at(script(as_json({"records": [row], "done": True, "totalSize": 1})))
    for ask in (org.query, org.tooling_query):
        with pytest.raises(OrgError, match="sent an unexpected response"):
            ask(SELECT)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        None,
        {"compositeResponse": []},
        {"compositeResponse": [None]},
        {"compositeResponse": [{"body": None, "httpStatusCode": 200}]},
        {"compositeResponse": [{"body": {"records": [None], "done": True}, "httpStatusCode": 200}]},
    ],
)
def test_a_composite_response_of_another_structure_is_reported(org_at, document) -> None:
    _, org = org_at(script(as_json(document)))
    with pytest.raises(OrgError, match="sent an unexpected response"):
        org._rest.read_together({"rows": (SELECT, ())}, {}, lambda _, answer: answer)


@pytest.mark.parametrize("document", [[], "text", 5, None])
def test_a_signed_in_user_of_another_structure_is_reported(org_at, document) -> None:
    _, org = org_at(script(as_json(document)))
    with pytest.raises(OrgError, match="sent an unexpected response"):
        _ = org.user


@pytest.mark.parametrize("ask", [lambda org: org.query(SELECT), lambda org: org.metadata.list_metadata("Flow")])
def test_a_response_beyond_the_size_limit_is_refused(ask) -> None:
    runtime = Runtime(max_answer_bytes=100_000)
    with (
        serving(script(Answer(200, b"x" * 1_000_000))) as server,
        connect(server.url, environ={"SF_ACCESS_TOKEN": TOKEN}, api_version="63.0", runtime=runtime) as org,
        pytest.raises(OrgError, match="more than 100,000 bytes"),
    ):
        ask(org)


def test_a_truncated_response_is_requested_again(org_at) -> None:
    _, org = org_at(script(Answer(200, b"half", {"Content-Length": "1000", "Connection": "close"}), LISTED))
    assert org.metadata.list_metadata("Flow")


def test_a_redirect_to_another_host_gets_no_session(org_at) -> None:
    with serving(script(LISTED)) as thief:
        server, org = org_at(script(Answer(307, b"", {"Location": f"{thief.url}/services"})))
        for ask in (lambda: org.query(SELECT), lambda: org.metadata.list_metadata("Flow")):
            with pytest.raises(OrgError, match="redirects to"):
                ask()
        assert thief.requests == []
        assert len(server.requests) == 2


def test_the_token_goes_to_its_own_org_only(org_at) -> None:
    """The library requests a next page on another host, but without the token."""
    with serving(script(ROWS)) as other_server:
        page = {
            "totalSize": 2,
            "done": False,
            "nextRecordsUrl": f"@{other_server.url.removeprefix('http://')}/x",
            "records": [],
        }
        _, org = org_at(script(as_json(page)))
        assert org.query(SELECT) == [{"Id": "005"}]
        assert TOKEN not in str(other_server.requests[0].headers)


def test_a_port_where_nobody_listens_is_unreachable(runtime: Runtime) -> None:
    with (
        connect("https://127.0.0.1:9", environ={"SF_ACCESS_TOKEN": TOKEN}, api_version="63.0", runtime=runtime) as org,
        pytest.raises(OrgUnreachable, match="No connection"),
    ):
        org.metadata.list_metadata("Flow")


def test_a_proxy_without_a_connection_is_named_as_the_cause() -> None:
    url = "http://acme.example/services/data"
    with (
        pytest.raises(
            NoAnswer, match=r"^No connection to acme\.example through the proxy: Connection refused\.\n"
        ) as caught,
        translate_errors(url),
    ):
        requests.get(url, proxies={"http": "http://127.0.0.1:9"}, timeout=PATIENCE)
    assert caught.value.hint == "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."


@contextmanager
def dripping(pause: float) -> Iterator[str]:
    """Send headers at once, then one part of the body after each pause, without end."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not ended.wait(pause):
                try:
                    connection.sendall(b"x" * 70_000)
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        thread.join()
        listener.close()


def test_a_server_that_never_responds_is_an_error() -> None:
    release = threading.Event()

    def hang(_: Request) -> Answer:
        release.wait(PATIENCE)
        raise HangUp

    runtime = Runtime(read_timeout=0.2)
    with (
        serving(hang) as server,
        connect(server.url, environ={"SF_ACCESS_TOKEN": TOKEN}, api_version="63.0", runtime=runtime) as org,
    ):
        started = real_time.monotonic()
        with pytest.raises(OrgUnreachable, match="may or may not be running.*did not answer in time"):
            org.metadata.deploy(b"zip", DeployOptions())
        assert real_time.monotonic() - started < PATIENCE / 2
        release.set()


def test_a_slowly_arriving_response_is_an_error() -> None:
    """Each part arrives in time, but the response never ends."""
    runtime = Runtime(read_timeout=5, answer_timeout=0.1, rng=random.Random(1), sleep=lambda _: None)
    with (
        dripping(0.05) as url,
        connect(url, environ={"SF_ACCESS_TOKEN": TOKEN}, api_version="63.0", runtime=runtime) as org,
        pytest.raises(OrgUnreachable, match="may or may not be running.*did not finish its response"),
    ):
        org.metadata.deploy(b"zip", DeployOptions())


def test_no_error_shows_the_token(org_at) -> None:
    """An org, or a server that pretends to be one, may repeat the token in its response."""
    text = f"INVALID_SESSION_ID: no such session {TOKEN}"

    def echo(request: Request) -> Answer:
        if "Soap" in request.path:
            body = soap("x").body.replace(
                b"<xResponse></xResponse>",
                f"<f:Fault xmlns:f='urn:f'><faultcode>UNKNOWN</faultcode><faultstring>{text}</faultstring></f:Fault>".encode(),
            )
            return Answer(500, body)
        return as_json([{"errorCode": "UNKNOWN", "message": text}], 400)

    _, org = org_at(echo)
    for ask in (lambda: org.query(SELECT), lambda: org.metadata.list_metadata("Flow")):
        with pytest.raises(OrgError) as caught:
            ask()
        assert "no such session ******" in str(caught.value)
        assert TOKEN not in repr(caught.value) + str(caught.value.args)
