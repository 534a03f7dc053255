"""Traces of messages, as an OTLP receiver gets them, and the IDs of requests."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import structlog

from sfcode.org.options import Runtime
from sfcode.org.transport import OrgAdapter
from sfcode.relay import log
from sfcode.relay.appcues.client import AppcuesClient
from sfcode.relay.appcues.rate_limit import RateLimit
from sfcode.relay.clock import boot_time
from sfcode.relay.inbox import Filter
from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Delivery, Retry
from sfcode.relay.request_context import choose_request_id, request_id
from sfcode.relay.tracing import trace, trace_claim, trace_headers, trace_request, traceparent, tracing
from sfcode.secret import Secret
from tests.http_server import serve_handler
from tests.relay.serving import Relay, Served
from tests.waiting import PATIENCE, until

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{PARENT}-01"


class Collector:
    """A receiver of OTLP, and of any other request, over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    @property
    def spans(self) -> list[Any]:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        exports = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        resources = [resource for export in exports for resource in export.resource_spans]
        return [span for resource in resources for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> Any:
        (span,) = (span for span in self.spans if span.name == name)
        return span


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    state = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/v1/traces":
                state.bodies.append(body)
            else:
                state.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PATCH = do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with serve_handler(Handler) as state.url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", state.url)
        yield state


def environ(collector: Collector) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}


def deliver_webhook(served: Served, **headers: str) -> requests.Response:
    """Send an event, and return when it is delivered."""
    url = served.url + "/webhooks/appcues/webhook-0123456789abcdef"
    event = {"name": "appcues:flow_completed", "user_id": "person-1001", "timestamp": "2026-06-01T08:00:00Z"}
    answer = served.session.post(url, json=event, headers=headers, timeout=PATIENCE)
    until(lambda: served.service.inbox.stats().count("done") >= 1, "the message is delivered")
    return answer


def test_a_message_is_one_trace_from_its_sender_to_its_delivery(sqlite_url: str, collector: Collector) -> None:
    with tracing(environ(collector)):
        Relay(sqlite_url).serve(lambda served: deliver_webhook(served, traceparent=GIVEN))
    receive, commit, delivery = map(collector.named, ("receive appcues", "commit", "deliver appcues"))
    assert {span.trace_id.hex() for span in (receive, commit, delivery)} == {TRACE}
    assert receive.parent_span_id.hex() == PARENT
    assert commit.parent_span_id == receive.span_id
    assert delivery.parent_span_id == commit.span_id
    values = {value.key: value.value for value in delivery.attributes}
    assert values["sfcode.outcome"].string_value == "delivered"
    assert values["sfcode.kind"].string_value == "appcues:flow_completed"
    assert {value.key: value.value.int_value for value in receive.attributes}["http.response.status_code"] == 200
    exported = b"".join(collector.bodies)
    assert b"person-1001" not in exported
    assert b"webhook-0123456789abcdef" not in exported


@pytest.mark.parametrize("traceparent_header", ["", "00-zz-zz-01", "garbage\x7f"])
def test_a_request_without_a_good_context_begins_a_trace(
    sqlite_url: str, collector: Collector, traceparent_header: str
) -> None:
    with (
        tracing(environ(collector)),
        trace_request("appcues", [(b"traceparent", traceparent_header.encode("latin-1"))]) as end,
    ):
        end(200)
    span = collector.named("receive appcues")
    assert span.parent_span_id == b""
    assert any(span.trace_id)


def claimed(id_: int, parent: str) -> ClaimedMessage:
    history = f'{{"event":"received","trace":"{parent}"}}\n' if parent else ""
    return ClaimedMessage(id_, "appcues", f"m{id_}", f"user:{id_}", "k", {}, 2, datetime.now(UTC), history=history)


def test_a_batch_is_linked_to_the_traces_of_its_messages(collector: Collector) -> None:
    other = f"00-{'1' * 32}-{'2' * 16}-01"
    claim = Claim("t", boot_time() + 60, (claimed(1, GIVEN), claimed(2, other), claimed(3, "")))
    with tracing(environ(collector)), trace_claim(claim) as end:
        with trace("call salesforce upsert") as call_ended:
            traceparent = trace_headers()["traceparent"]
            call_ended("200")
        end(Delivery({1: Delivered(), 2: Retry("no"), 3: Delivered()}))
    batch, call = collector.named("deliver appcues"), collector.named("call salesforce upsert")
    assert [link.trace_id.hex() for link in batch.links] == [TRACE, "1" * 32]
    assert call.parent_span_id == batch.span_id
    assert traceparent.split("-")[:3] == ["00", call.trace_id.hex(), call.span_id.hex()]
    single = {span.trace_id.hex(): span for span in collector.spans if span.name == "deliver"}
    assert single[TRACE].parent_span_id.hex() == PARENT
    assert [link.span_id for link in single["1" * 32].links] == [batch.span_id]
    assert len(single) == 3


def test_a_failed_call_is_an_error(collector: Collector) -> None:
    with tracing(environ(collector)):
        with trace("call salesforce update") as end:
            end("UNABLE_TO_LOCK_ROW")
        with pytest.raises(KeyError), trace("call salesforce create"):
            raise KeyError("x")
    assert {span.name: span.status.code for span in collector.spans} == {
        "call salesforce update": 2,
        "call salesforce create": 2,
    }


def test_the_context_is_sent_to_both_far_sides(collector: Collector) -> None:
    class Credentials:
        appcues_url = collector.url
        appcues_key = appcues_secret = Secret("key")

    async def write() -> None:
        client = AppcuesClient("1", Credentials(), RateLimit(lambda: 50.0, time.monotonic), Instrumentation())
        await client.write("user", "a", {"plan": "x"}, time.monotonic() + 20)
        await client.close()

    with tracing(environ(collector)):
        asyncio.run(write())
        with requests.Session() as session, trace("call salesforce query"):
            session.mount("http://", OrgAdapter(Runtime(request_headers=trace_headers), plain=False))
            session.get(collector.url, timeout=PATIENCE)
            expected = traceparent()
    appcues, salesforce = (headers["traceparent"] for headers in collector.headers)
    assert appcues.split("-")[2] == collector.named("call appcues user_profile").span_id.hex()
    assert salesforce == expected


def test_without_an_exporter_nothing_of_opentelemetry_is_imported(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)  # makes the import fail
    claim = Claim("t", boot_time() + 60, (claimed(1, GIVEN), claimed(2, "")))
    with tracing({}), trace_request("appcues", [(b"traceparent", GIVEN.encode())]) as answered:
        answered(200)
        with trace_claim(claim) as delivered, trace("call salesforce update") as ended:
            ended("200")
            delivered(Delivery({}))
            assert (traceparent(), trace_headers()) == ("", {})
    for path in (root / "sfcode").rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            modules = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
            )
            assert not [name for name in modules if name and name.startswith("opentelemetry")], path


def test_without_the_extra_a_warning_is_logged_and_the_relay_starts(
    collector: Collector, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr("sfcode.relay.tracing.find_spec", lambda _: None)
    with tracing(environ(collector)):
        assert traceparent() == ""
    assert "no_traces" in capsys.readouterr().out
    with tracing({**environ(collector), "OTEL_SDK_DISABLED": "true"}):
        assert traceparent() == ""


@pytest.mark.parametrize(
    ("header_values", "is_kept"),
    [
        ([b"abc-DEF_1.2"], True),
        ([b"x" * 64], True),
        ([b"x" * 65], False),
        ([b"a b"], False),
        ([b'a"b'], False),
        ([b""], False),
        ([b"one", b"two"], False),
        ([], False),
    ],
)
def test_the_id_of_a_request_is_the_senders_where_it_may_stand_in_a_log(
    header_values: list[bytes], is_kept: bool
) -> None:
    request_id = choose_request_id([(b"x-request-id", value) for value in header_values])
    assert (request_id.encode() in header_values) is is_kept
    assert len(request_id) == (len(header_values[0]) if is_kept else 16)


def test_answers_histories_and_refusals_have_the_id_of_their_request(sqlite_url: str) -> None:
    def script(served: Served) -> SimpleNamespace:
        stored = deliver_webhook(served, **{"X-Request-Id": "mine-1"})
        refused = served.session.post(
            f"{served.url}/webhooks/appcues/wrong", headers={"X-Request-Id": "mine-2"}, timeout=PATIENCE
        )
        unsafe = served.session.get(f"{served.url}/nowhere", headers={"X-Request-Id": "a b"}, timeout=PATIENCE)
        (entry,) = served.service.inbox.page(Filter())
        message = served.service.inbox.find(entry.id)
        return SimpleNamespace(stored=stored, refused=refused, unsafe=unsafe, message=message)

    result = Relay(sqlite_url).serve(script)
    assert (result.stored.status_code, result.stored.headers["X-Request-Id"]) == (200, "mine-1")
    assert (result.refused.status_code, result.refused.headers["X-Request-Id"]) == (401, "mine-2")
    assert (result.unsafe.status_code, len(result.unsafe.headers["X-Request-Id"])) == (404, 16)
    assert result.message.history[0].request_id == "mine-1"


def test_a_line_of_the_log_has_the_id_of_the_request() -> None:
    stream = io.StringIO()
    log.configure(stream)
    logger = structlog.stdlib.get_logger("sfcode.relay")
    token = request_id.set("mine-1")
    logger.warning("refused")
    request_id.reset(token)
    logger.warning("purged")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["request_id"] == "mine-1"
    assert "request_id" not in second
