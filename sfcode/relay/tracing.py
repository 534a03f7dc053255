"""
OpenTelemetry traces of the receipt of a message, its commit, its delivery, and each call to Salesforce or Appcues.

Nothing of OpenTelemetry is imported unless an exporter is configured (OTEL_EXPORTER_OTLP_ENDPOINT) and the extra `otel` is
installed. A message stores the context of its receipt, so that its delivery belongs to the same trace. A batch of several
messages is a separate trace with links to theirs. No span contains a URL or a value, since these may be personal or secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import structlog

from sfcode import __version__
from sfcode.relay.inbox.history import read_traceparent

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from sfcode.relay.message import Claim, Delivery

log = structlog.stdlib.get_logger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
MOST_LINKS = 128
"""The maximum number of messages that the span of a batch is linked to."""


class _State:
    tracer: Tracer | None = None


@contextmanager
def tracing(environ: Mapping[str, str]) -> Iterator[None]:
    """Export traces during the block, if an exporter is configured; the last ones are sent at its end."""
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        log.warning("no_traces", hint="the extra `otel` is not installed")
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = environ.get("OTEL_SERVICE_NAME") or "sfcode-relay"
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _State.tracer = provider.get_tracer("sfcode.relay", __version__)
    try:
        yield
    finally:
        _State.tracer = None
        provider.shutdown()


@contextmanager
def trace_request(source: str, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[Callable[[int], None]]:
    """Trace a request within the trace of its sender. The yielded function takes the status of the response."""
    tracer = _State.tracer
    if tracer is None:
        yield lambda _status: None
        return
    from opentelemetry.trace import SpanKind

    values = [value.decode("latin-1") for name, value in headers if name == b"traceparent"]
    parent = _context_of(values[0] if len(values) == 1 else "")
    with tracer.start_as_current_span(f"receive {source}", parent, SpanKind.SERVER) as span:
        yield lambda status: span.set_attribute("http.response.status_code", status)


@contextmanager
def trace(name: str, **attributes: Any) -> Iterator[Callable[[str], None]]:
    """Trace a step. The yielded function takes its outcome, which is an error unless it is a status of success."""
    tracer = _State.tracer
    if tracer is None:
        yield lambda _outcome: None
        return
    from opentelemetry.trace import SpanKind, StatusCode

    kind = SpanKind.CLIENT if name.startswith("call ") else SpanKind.INTERNAL
    with tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:

        def end(outcome: str) -> None:
            span.set_attribute("sfcode.outcome", outcome)
            if not outcome.startswith("2"):
                span.set_status(StatusCode.ERROR)

        yield end


@contextmanager
def trace_claim(claim: Claim) -> Iterator[Callable[[Delivery], None]]:
    """
    Trace the delivery of a claim. The yielded function takes the delivery.

    The delivery of one message belongs to the trace of its receipt. That of several is linked to each, and each has its own span.
    """
    tracer = _State.tracer
    if tracer is None:
        yield lambda _delivery: None
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, get_current_span

    parents = {message.id: _context_of(read_traceparent(message.history)) for message in claim.messages}
    is_batch = len(claim.messages) > 1
    contexts = [get_current_span(parent).get_span_context() for parent in parents.values()]
    links = [Link(context) for context in contexts if context.is_valid][:MOST_LINKS] if is_batch else []
    parent = Context() if is_batch else parents[claim.messages[0].id]
    attributes = {"messaging.batch.message_count": len(claim.messages), "sfcode.source": claim.source}
    with tracer.start_as_current_span(f"deliver {claim.source}", parent, links=links, attributes=attributes) as batch:
        began = _start_time(batch)

        def end(delivery: Delivery) -> None:
            for message in claim.messages:
                outcome = type(delivery.settlements.get(message.id)).__name__.lower()
                values: dict[str, Any] = {
                    "sfcode.kind": message.kind,
                    "sfcode.outcome": outcome,
                    "sfcode.attempts": message.attempts + 1,
                }
                if is_batch:
                    link = [Link(batch.get_span_context())]
                    tracer.start_span(
                        "deliver", parents[message.id], links=link, attributes=values, start_time=began
                    ).end()
                else:
                    batch.set_attributes(values)

        yield end


def traceparent() -> str:
    """Return the present context as a W3C `traceparent`, to store it with a message; "" without a trace."""
    return trace_headers().get("traceparent", "")


def trace_headers() -> dict[str, str]:
    """Return the headers that propagate the present context; none without a trace."""
    headers: dict[str, str] = {}
    if _State.tracer is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
    return headers


def _context_of(traceparent: str) -> Any:
    """Return the context of a traceparent; an empty context if it is missing or malformed."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())


def _start_time(span: Any) -> int | None:
    return getattr(span, "start_time", None)
