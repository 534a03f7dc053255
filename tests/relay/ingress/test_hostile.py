"""Every kind of hostile input with its exact response; no part of it is stored or returned."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from sfcode.relay.ingress import IngressLimits
from tests.relay.ingress.asking import MESSAGE, TOKEN, WEBHOOK, Answer, Relay, event
from tests.relay.ingress.test_messages import XML, fault, notification, wire

GOOD = json.dumps(event())
BOM = b"\xef\xbb\xbf"
MARK = "mark-of-the-sender"

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<lolz>&lol1;</lolz>"""


def entity(declaration: bytes, reference: bytes = b"&x;") -> bytes:
    """Return a valid message with an entity in it."""
    head, tail = wire().split(b"\n", 1)
    return head + b"<!DOCTYPE x [" + declaration + b"]>" + tail.replace(b"pro", reference)


@dataclass(frozen=True)
class Case:
    """A request and its expected response."""

    title: str
    body: bytes | str | Iterable[bytes]
    status: int
    reason: str
    kind: str | None = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"
    more: dict[str, bool] = field(default_factory=dict)


def deep(opening: str, closing: str, times: int) -> str:
    return opening * times + closing * times


def in_utf(name: str, text: str = GOOD) -> bytes:
    return text.encode(name)


WEBHOOKS = [
    # Invalid JSON, or JSON that parsers read differently.
    Case("no JSON", "not json", 400, "not_json"),
    Case("cut off", GOOD[:-1], 400, "not_json"),
    Case("two values", GOOD + GOOD, 400, "not_json"),
    Case("a comment", "/* */ " + GOOD, 400, "not_json"),
    Case("single quotes", "{'name': 'x'}", 400, "not_json"),
    Case("a trailing comma", '{"name": "x",}', 400, "not_json"),
    Case("XML", wire(), 400, "not_json"),
    Case("a key twice", '{"name": "a", "user_id": 1, "name": "b"}', 400, "json_duplicate_key"),
    Case("a key twice, further in", '{"name": "a", "user_id": 1, "x": [{"a": 1, "a": 2}]}', 400, "json_duplicate_key"),
    Case("a key twice, once escaped", '{"name": "a", "user_id": 1, "n\\u0061me": "b"}', 400, "json_duplicate_key"),
    # Invalid numbers, or numbers that take long to parse.
    Case("NaN", '{"name": "x", "user_id": 1, "score": NaN}', 400, "json_number"),
    Case("Infinity", '{"name": "x", "user_id": 1, "score": -Infinity}', 400, "json_number"),
    Case("an endless number", '{"name": "x", "user_id": 1, "score": 1e999}', 400, "json_number"),
    Case("a number of 101 digits", '{"name": "x", "user_id": ' + "9" * 101 + "}", 400, "json_number"),
    Case("a number of 10,000 digits", '{"name": "x", "user_id": ' + "9" * 10_000 + "}", 400, "json_number"),
    # Depth.
    Case("65 levels", deep("[", "]", 65), 400, "json_depth"),
    Case("65 levels of objects", '{"a":' * 65 + "1" + "}" * 65, 400, "json_depth"),
    Case("100,000 levels", deep("[", "]", 100_000), 400, "json_depth"),
    Case("100,000 levels of objects", '{"a":' * 100_000, 400, "json_depth"),
    Case("100,000 levels, not closed", "[" * 100_000, 400, "json_depth"),
    # Characters that databases cannot store.
    Case("NUL", GOOD.replace("user-1", "user\0"), 400, "not_json"),
    Case("a control character", GOOD.replace("user-1", "\x01"), 400, "not_json"),
    # Encodings.
    Case("UTF-16", in_utf("utf-16"), 400, "not_utf8"),
    Case("UTF-16 without a mark", in_utf("utf-16-le"), 400, "not_json"),
    Case("UTF-32", in_utf("utf-32"), 400, "not_utf8"),
    Case("Latin-1", GOOD.replace("user-1", "ü").encode("latin-1"), 400, "not_utf8"),
    Case("an overlong encoding", GOOD.encode().replace(b"user-1", b"\xc0\xaf"), 400, "not_utf8"),
    Case("a surrogate in UTF-8", GOOD.encode().replace(b"user-1", b"\xed\xa0\x80"), 400, "not_utf8"),
    Case("two marks", BOM * 2 + GOOD.encode(), 400, "not_json"),
    Case("declared as UTF-16", in_utf("utf-16"), 415, "charset", "application/json; charset=utf-16"),
    Case("declared as Latin-1", GOOD, 415, "charset", "application/json; charset=ISO-8859-1"),
    Case("declared as UTF-7", GOOD, 415, "charset", 'application/json; charset="utf-7"'),
    Case("declared as nothing known", GOOD, 415, "charset", "application/json; charset=\x00"),
    # Content types and compression.
    Case("a form", "name=x&user_id=1", 415, "content_type", "application/x-www-form-urlencoded"),
    Case("a file", GOOD, 415, "content_type", "multipart/form-data; boundary=x"),
    Case("a type that is none", GOOD, 415, "content_type", ";"),
    Case("two types", GOOD, 415, "content_type", headers=(("content-type", "text/plain"),)),
    Case("packed", gzip.compress(GOOD.encode()), 415, "content_encoding", headers=(("content-encoding", "gzip"),)),
    Case("a bomb", zlib.compress(b"0" * 10**7), 415, "content_encoding", headers=(("content-encoding", "deflate"),)),
    Case("packed twice", b"", 415, "content_encoding", headers=(("content-encoding", "identity, br"),)),
    Case("packed, and not said so", gzip.compress(GOOD.encode()), 400, "not_utf8"),
    # Size and time.
    Case("a body of 1 MiB and a byte", b" " * (1024 * 1024 + 1), 413, "too_large"),
    Case("the same in pieces", (b" " * 65536 for _ in range(17)), 413, "too_large"),
    Case("a length of 100 MB", b"", 413, "too_large", headers=(("content-length", "100000000"),)),
    Case("a length of many digits", b"", 413, "too_large", headers=(("content-length", "9" * 5000),)),
    Case("a length that is none", b"", 400, "content_length", headers=(("content-length", "-1"),)),
    Case("1,001 events", json.dumps([event()] * 1001), 413, "too_many_events"),
    Case("a client that hangs up", GOOD[:10], 400, "incomplete", more={"hang_up": True}),
    Case("a client that stalls", GOOD[:10], 408, "too_slow", more={"stall": True}),
    # Methods.
    *(
        Case(f"the method {method}", GOOD, 405, "method_not_allowed", method=method)
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "POSTE", "post")
    ),
]

MESSAGES = [
    # Entities and document types.
    Case("a billion laughs", BILLION_LAUGHS, 400, "doctype", XML),
    Case("an external entity", entity(b'<!ENTITY x SYSTEM "file:///etc/passwd">'), 400, "doctype", XML),
    Case("an entity from the network", entity(b'<!ENTITY x SYSTEM "http://127.0.0.1:9/">'), 400, "doctype", XML),
    Case("a parameter entity", entity(b'<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;', b""), 400, "doctype", XML),
    Case("an external document type", b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', 400, "doctype", XML),
    Case("an empty document type", b"<!DOCTYPE x><x/>", 400, "doctype", XML),
    Case("an unknown entity", wire().replace(b"pro", b"&nbsp;"), 400, "not_xml", XML),
    Case(
        "an include",
        b'<x xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd"/></x>',
        400,
        "not_a_message",
        XML,
    ),
    # Invalid XML.
    Case("nothing", b"", 400, "not_xml", XML),
    Case("text", b"hello", 400, "not_xml", XML),
    Case("JSON", GOOD, 400, "not_xml", XML),
    Case("cut off", wire()[:-20], 400, "not_xml", XML),
    Case("two documents", wire() + wire()[wire().index(b"<soapenv") :], 400, "not_xml", XML),
    Case("an attribute twice", wire().replace(b"<sf:Plan__c>", b'<sf:Plan__c a="1" a="2">'), 400, "not_xml", XML),
    Case("a prefix that is not bound", wire().replace(b"sf:Plan__c", b"zz:Plan__c"), 400, "not_xml", XML),
    Case("300 levels", b"<a>" * 300 + b"</a>" * 300, 400, "not_xml", XML),
    Case("1,000,000 levels", b"<a>" * 1_000_000, 400, "not_xml", XML),
    Case("1,000,000 elements", b"<a>" + b"<b/>" * 1_000_000 + b"</a>", 400, "too_many_elements", XML),
    # Encodings.
    Case("UTF-16", in_utf("utf-16", wire().decode()), 400, "not_utf8", XML),
    Case("declared inside as UTF-16", wire().replace(b"UTF-8", b"UTF-16"), 400, "encoding", XML),
    Case("declared inside as UTF-7", wire().replace(b"UTF-8", b"UTF-7"), 400, "encoding", XML),
    Case("declared inside as EBCDIC", wire().replace(b"UTF-8", b"cp037"), 400, "encoding", XML),
    Case("EBCDIC", wire().decode().encode("cp037"), 400, "not_utf8", XML),
    Case("Latin-1", wire().replace(b"pro", b"\xfc"), 400, "not_utf8", XML),
    Case("declared as Latin-1", wire(), 415, "charset", "text/xml; charset=iso-8859-1"),
    Case("SOAP 1.2's type", wire(), 415, "content_type", "application/soap+xml"),
    Case("JSON's type", wire(), 415, "content_type", "application/json"),
    Case("packed", gzip.compress(wire()), 415, "content_encoding", XML, (("content-encoding", "gzip"),)),
    # XML that is not an outbound message.
    Case("another document", b"<x/>", 400, "not_a_message", XML),
    Case(
        "SOAP 1.2",
        wire().replace(b"schemas.xmlsoap.org/soap/envelope/", b"www.w3.org/2003/05/soap-envelope"),
        400,
        "version_mismatch",
        XML,
    ),
    Case("no body", b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>', 400, "not_a_message", XML),
    Case("another body", wire().replace(b"2005/09/outbound", b"2006/04/metadata"), 400, "not_a_message", XML),
    Case(
        "two organizations",
        wire().replace(b"<ActionId>", b"<OrganizationId>x</OrganizationId><ActionId>"),
        400,
        "not_a_message",
        XML,
    ),
    Case("no notification", wire().replace(b"Notification>", b"Nothing>"), 400, "number_of_notifications", XML),
    Case("101 notifications", wire(*map(notification, range(101))), 400, "number_of_notifications", XML),
    Case(
        "a header to be understood",
        wire().replace(
            b" <soapenv:Body>", b'<soapenv:Header><a soapenv:mustUnderstand="1"/></soapenv:Header><soapenv:Body>'
        ),
        400,
        "must_understand",
        XML,
    ),
    Case("another org", wire().replace(b"00Dxx0000001gPFEAY", b"00Dxx0000009gPFEAY"), 403, "forbidden", XML),
    # Size, time, methods.
    Case("a body of 4 MiB and a byte", b" " * (4 * 1024 * 1024 + 1), 413, "too_large", XML),
    Case("the same in pieces", (b" " * 65536 for _ in range(65)), 413, "too_large", XML),
    Case("a length of 100 MB", b"", 413, "too_large", XML, (("content-length", "100000000"),)),
    Case("a client that hangs up", wire()[:100], 400, "incomplete", XML, more={"hang_up": True}),
    Case("a client that stalls", wire()[:100], 408, "too_slow", XML, more={"stall": True}),
    Case("the method GET", b"", 405, "method_not_allowed", XML, method="GET"),
]


@pytest.fixture
def relay(relay: Relay) -> Relay:
    """Return a relay with a short timeout."""
    return Relay(relay.project, limits=IngressLimits(body_seconds=0.05))


def check(relay: Relay, path: str, case: Case) -> Answer:
    """Send a case with a mark, and check that the response does not contain the mark."""
    headers = (*case.headers, ("x-mark", MARK))
    answer = relay.ask(
        f"{path}?mark={MARK}", case.body, method=case.method, kind=case.kind, headers=headers, **case.more
    )
    assert answer.status == case.status, answer.body
    assert relay.inbox.messages == []
    assert MARK not in str(answer)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers.get("allow") == ("POST" if case.status == 405 else None)
    return answer


@pytest.mark.parametrize("case", WEBHOOKS, ids=lambda case: case.title)
def test_a_webhook_with_hostile_input_is_refused(relay: Relay, case: Case) -> None:
    assert check(relay, WEBHOOK, case).json == {"error": case.reason}


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case.title)
def test_an_outbound_message_with_hostile_input_is_refused_with_a_fault(relay: Relay, case: Case) -> None:
    code = {"version_mismatch": "VersionMismatch", "must_understand": "MustUnderstand"}.get(case.reason, "Client")
    assert fault(check(relay, MESSAGE, case)) == (case.status, code, case.reason.replace("_", " "))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (GOOD, None),
        (GOOD, "application/json; charset=UTF-8"),
        (GOOD, 'application/json;charset="utf-8"; x=y'),
        (GOOD, "application/vnd.appcues.event+json"),
        (GOOD, "text/plain"),
        (BOM + GOOD.encode(), "application/json"),
        (GOOD.replace("user-1", "\\ud83d\\ude00"), "application/json"),
        (GOOD.replace("user-1", "\\\\u0000"), "application/json"),
        (GOOD.replace("user-1", "9" * 100), "application/json"),
        (deep('{"name": "x", "user_id": 1, "a":', "}", 1).replace(":}", ":" + deep("[", "]", 63) + "}"), None),
        (json.dumps([event(user_id=number) for number in range(1000)]), None),
        (GOOD + " " * (1024 * 1024 - len(GOOD)), None),
        ((GOOD[index : index + 1].encode() for index in range(len(GOOD))), None),
    ],
)
def test_nearly_hostile_webhooks_are_accepted(
    relay: Relay, body: bytes | str | Iterable[bytes], kind: str | None
) -> None:
    assert relay.ask(WEBHOOK, body, kind=kind).status == 200
    assert relay.inbox.messages


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (wire(), None),
        (wire(), "application/xml"),
        (wire(), "TEXT/XML; charset=UTF-8"),
        (BOM + wire(), XML),
        (wire().replace(b"UTF-8", b"us-ascii"), XML),
        (wire().partition(b"\n")[2], XML),
        (wire().replace(b"pro", "Jörg \U0001f600".encode()), XML),
        (wire().replace(b"pro &amp; &lt;more&gt;", b"<![CDATA[pro & <more>]]>"), XML),
        (wire().replace(b"pro", b"p<!-- -->r<?pi?>o"), XML),
        (wire().replace(b"pro", b"&lt;!DOCTYPE html&gt;"), XML),
        (wire(*map(notification, range(100))), XML),
        (wire().replace(b"pro", b"x" * 4_000_000), XML),
    ],
)
def test_a_message_that_is_nearly_hostile_is_acknowledged(relay: Relay, body: bytes, kind: str | None) -> None:
    assert relay.ask(MESSAGE, body, kind=kind).status == 200
    assert all(m.key == "user:1001" for m in relay.inbox.messages)


def test_a_comment_inside_a_value_does_not_cut_it(relay: Relay) -> None:
    relay.ask(MESSAGE, wire().replace(b"pro &amp; ", b"pro<!-- x --> and "), kind=XML)
    assert relay.inbox.messages[0].payload["record"]["Plan__c"] == "pro and <more>"


class TestTogether:
    def test_all_bodies_together_stay_within_the_memory_budget(self, relay: Relay) -> None:
        """Two slow senders use the whole limit; the third is refused with 503, and accepted after they have ended."""
        relay = Relay(relay.project, limits=IngressLimits(held_bytes=2500, body_seconds=0.2))

        async def scenario() -> list[Answer]:
            slow = [asyncio.create_task(relay.ask_async(WEBHOOK, b" " * 1000, stall=True)) for _ in range(2)]
            for _ in range(20):
                await asyncio.sleep(0)
            turned_away = await relay.ask_async(WEBHOOK, GOOD + " " * 1000)
            await asyncio.gather(*slow)
            return [turned_away, await relay.ask_async(WEBHOOK, GOOD + " " * 1000)]

        turned_away, later = asyncio.run(scenario())
        assert (turned_away.status, turned_away.headers["retry-after"]) == (503, "5")
        assert later.status == 200

    def test_a_refused_body_is_returned_to_the_budget(self, relay: Relay) -> None:
        relay = Relay(relay.project, limits=IngressLimits(held_bytes=2000, webhook_bytes=1000))
        for _ in range(5):
            assert relay.ask(WEBHOOK, [b" " * 900, b" " * 900]).status == 413
        assert relay.ask(WEBHOOK, GOOD).status == 200


def test_a_token_is_compared_as_a_whole_and_in_constant_time(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret is compared, with a function that takes the same time for all secrets of one length."""
    import hmac

    comparisons = []
    real = hmac.compare_digest

    def compared(first: bytes, second: bytes) -> bool:
        comparisons.append((first, second))
        return real(first, second)

    monkeypatch.setattr(hmac, "compare_digest", compared)
    assert relay.ask(WEBHOOK, GOOD).status == 200
    assert [first for first, _ in comparisons] == [TOKEN.encode()] * 2
