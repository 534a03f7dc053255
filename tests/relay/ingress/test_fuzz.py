"""Any input is accepted or refused without an exception or a 5xx, and accepted messages can be stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.config import Project
from sfcode.config.webhook_models import WebhookPaths
from sfcode.relay.appcues_payload import find_events
from sfcode.relay.ingress import IngressLimits
from sfcode.relay.ingress.appcues_parser import ParserSettings, messages
from sfcode.relay.ingress.responses import HttpError
from sfcode.relay.ingress.salesforce_parser import message, senders
from sfcode.relay.ingress.soap import OutboundMessage, parse
from sfcode.relay.ingress.strict_json import UNSTORABLE, loads
from sfcode.relay.ingress.timestamps import event_time, format_time
from sfcode.relay.message import InboxMessage
from tests.relay.ingress.asking import MESSAGE, NOW, OLD_TOKEN, TOKEN, WEBHOOK, Relay, event, project
from tests.relay.ingress.test_messages import XML, wire

LIMITS = IngressLimits()
READINGS = st.sampled_from(
    [
        ParserSettings(groups=True, paths=WebhookPaths(id="id")),
        ParserSettings(
            groups=True,
            paths=WebhookPaths(
                events="data.events", name="name.0", user_id="user.id", attributes=["user", "context.data"]
            ),
        ),
    ]
)

KEYS = st.sampled_from(
    [
        "name",
        "event",
        "events",
        "data",
        "payload",
        "user_id",
        "userId",
        "group_id",
        "timestamp",
        "attributes",
        "_identity",
        "identity",
        "context",
        "user",
        "id",
    ]
) | st.text(max_size=5)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
PIECES = st.sampled_from(
    [
        "<",
        ">",
        "/>",
        "&",
        "&#",
        "]]>",
        "<![CDATA[",
        "<!--",
        "<?",
        '"',
        "xmlns:sf=",
        "xsi:nil",
        "\0",
        "\ud800",
        "\x1f",
        "é",
    ]
)


def storable(messages: tuple[InboxMessage, ...]) -> None:
    """Assert that every inbox can store a message."""
    for entry in messages:
        text = json.dumps([entry.message_id, entry.key, entry.kind, dict(entry.payload)], allow_nan=False)
        assert "\\u0000" not in text or "\\\\u0000" in text
        assert entry.message_id
        assert (entry.key == "") is bool(entry.parked) or entry.parked == "other_object"
        json.dumps(entry.payload, ensure_ascii=False).encode()
        assert len(entry.message_id) <= 200


def read(reader: Callable[..., Any], data: object) -> Any:
    """Return the result of a parser, or the status with which it refuses the data."""
    try:
        return reader(data, LIMITS)
    except HttpError as refusal:
        return refusal.status


def texts(value: Any) -> Iterator[str]:
    """List the texts in a value, keys included."""
    if isinstance(value, dict):
        yield from value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(member)
    if isinstance(value, str):
        yield value


def mangled(draw: st.DrawFn, text: str) -> str:
    """Draw a text with some places cut out, repeated and damaged."""
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        middle = draw(PIECES | st.text(max_size=5) | st.just(text[start:end] * 2))
        text = text[:start] + middle + text[end:]
    return text


@st.composite
def envelopes(draw: st.DrawFn) -> bytes:
    return mangled(draw, wire().decode()).encode("utf-8", "surrogatepass")


@st.composite
def webhooks(draw: st.DrawFn) -> bytes:
    text = json.dumps(
        draw(VALUES | st.builds(event, timestamp=VALUES, attributes=VALUES)), ensure_ascii=draw(st.booleans())
    )
    return mangled(draw, text).encode("utf-8", "surrogatepass")


def replaced(value: Any) -> Any:
    """Return a value in which characters that databases refuse are replaced."""
    if isinstance(value, dict):
        return {replaced(key): replaced(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(replaced, value))
    return UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else value


@given(VALUES, READINGS)
def test_any_json_makes_messages_that_can_be_stored(value: Any, reading: ParserSettings) -> None:
    text = json.dumps(value)
    body = read(loads, text)
    if re.search(r"\d{101}", text):
        assert body == 400
    else:
        assert body == replaced(value)
        assert not any(map(UNSTORABLE.search, texts(body)))
        storable(messages(list(find_events(body, reading.paths)), reading, "", NOW))


@given(VALUES)
def test_any_value_is_a_time_or_none(value: Any) -> None:
    time = format_time(event_time(value, NOW))
    assert len(time) == len("2026-11-23T17:23:00.000Z")
    assert "2010" <= time <= "2026-11-23T17:28:00.000Z"


@given(st.binary(max_size=200) | envelopes())
def test_any_bytes_are_an_outbound_message_or_none(contact_project: Project, body: bytes) -> None:
    outbound_message = read(parse, body)
    if isinstance(outbound_message, OutboundMessage):
        sender = senders(contact_project)["contact"]
        storable(tuple(message(sender, "v", notification) for notification in outbound_message.notifications))
    else:
        assert outbound_message == 400


TYPES = st.sampled_from([None, "application/json", XML, "text/plain; charset=x", ";;", "a/b;charset", "\xff"])
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "authorization",
                "content-length",
                "content-encoding",
                "content-type",
                "x-forwarded-for",
                "x-sig",
                "host",
                "webhook-id",
                "webhook-timestamp",
                "webhook-signature",
            ]
        ),
        st.text(st.characters(max_codepoint=255), max_size=30)
        | st.sampled_from([f"Bearer {TOKEN}", "v1,AA", "1795454400"]),
    ),
    max_size=4,
)
SEGMENT = st.sampled_from(["webhooks", "appcues", TOKEN, OLD_TOKEN, "outbound-messages", "contact", "%2F", "..", ""])
PATHS = st.sampled_from([WEBHOOK, MESSAGE, f"{MESSAGE}?v=%ff&v=1&&="]) | st.lists(
    SEGMENT | st.text(st.characters(exclude_characters="?", exclude_categories=["Cs"]), max_size=8), max_size=5
).map(lambda parts: "/" + "/".join(parts))


@settings(max_examples=300)
@given(
    path=PATHS,
    body=st.binary(max_size=100) | webhooks() | envelopes(),
    kind=TYPES,
    headers=HEADERS,
    method=st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "PUT", "\xff"]),
    client=st.sampled_from([None, ("127.0.0.1", 1), ("", 0), ("fe80::1%eth0", 1)]),
)
def test_any_request_is_answered_without_an_exception(
    contact_project: Project, path: str, body: bytes, **more: Any
) -> None:
    relay = Relay(contact_project)
    answer = relay.ask(path, body, **more)
    assert 200 <= answer.status < 500
    storable(tuple(relay.inbox.messages))


@settings(max_examples=150)
@given(body=webhooks(), pieces=st.integers(1, 7))
def test_any_body_is_accepted_or_refused_as_a_whole(contact_project: Project, body: bytes, pieces: int) -> None:
    size = max(1, len(body) // pieces)
    parts = [body[index : index + size] for index in range(0, len(body), size)] or [b""]
    answer = Relay(contact_project).ask(WEBHOOK, parts)
    assert answer.status in (200, 400)
    assert answer.status == Relay(contact_project).ask(WEBHOOK, body).status


@pytest.mark.parametrize(
    "auth",
    [
        "scheme: hmac, header: X-Sig, encoding: base64, timestamp_header: webhook-timestamp, signed: '{timestamp}{body}'",
        "scheme: hmac, header: X-Sig",
        "scheme: bearer",
        "scheme: basic",
    ],
)
def test_no_header_bypasses_a_scheme_or_raises(tmp_path_factory: pytest.TempPathFactory, auth: str) -> None:
    loaded = project(tmp_path_factory.mktemp("auth"), f"webhook_auth: {{{auth}}}")

    @settings(max_examples=60)
    @given(headers=HEADERS)
    def refused(headers: list[tuple[str, str]]) -> None:
        is_known = ("authorization", f"Bearer {TOKEN}") in headers and "bearer" in auth
        answer = Relay(loaded).ask("/webhooks/appcues", "{}", headers=headers)
        assert answer.status in (400, 401, 413, 415, 200 if is_known else 401)

    refused()
