"""
Record the requests of clients to a local org, so that they can be repeated without the clients.

A recording is a file of JSON lines: a header, then the name of each test with its exchanges. A request is recorded
completely, with its tokens replaced. Of an answer only the structure is recorded, and the IDs, since later requests may
contain them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from lxml import etree
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import sfcode
from sfcode.local import ids

TOKEN = re.compile(r"00D\w{12,15}(?:!|%21|\\u0021)[\w.]+")
ID = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9]{{3}}{ids.POD}[01][A-Za-z0-9]{{9}}(?:[A-Za-z0-9]{{3}})?(?![A-Za-z0-9])")
SCRUBBED = "00D000000000000!SCRUBBED.{}"
WRONG = SCRUBBED.format("wrong")
"""The replacement for tokens that an org does not accept."""
UNAUTHORIZED = 401
OPEN_TO_ALL = "/services/data"
"""A path that an org serves with any token."""
ORIGIN = "{origin}"
KEPT_HEADERS = ("accept", "content-type", "soapaction", "sforce-call-options", "sforce-query-options", "if-match")
SIGNIFICANT_KEYS = frozenset(
    {"errorCode", "statusCode", "faultcode", "state", "status", "success", "done", "problemType", "checkOnly"}
)
"""Keys whose values are recorded as well, as a part of an answer's structure."""
SIGN_IN = ("/services/oauth2/token", "/services/oauth2/revoke", "/services/oauth2/introspect")
SECRET = frozenset({"assertion", "client_secret", "code", "code_verifier", "password", "refresh_token", "token"})

Json = Any


@dataclass
class Recorder:
    """An application in front of the org's own, which records requests and answers."""

    app: ASGIApp
    exchanges: list[dict[str, Json]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_body, answer_body = bytearray(), bytearray()
        exchange: dict[str, Json] = {}
        self.exchanges.append(exchange)
        status = 0

        async def hear() -> Message:
            message = await receive()
            request_body.extend(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer_body.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Recorded before the answer is complete, since the client may end as soon as it has the answer.
                exchange["request"] = request(scope, bytes(request_body))
                exchange["answer"] = answer(status, bytes(answer_body))
            await send(message)

        await self.app(scope, hear, say)


def request(scope: Scope, body: bytes) -> dict[str, Json]:
    """Record a request."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    if scope["query_string"]:
        path += "?" + scope["query_string"].decode("latin-1")
    document: dict[str, Json] = {"method": scope["method"], "path": path}
    document["headers"] = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    if "authorization" in headers:
        document["headers"]["authorization"] = headers["authorization"]
    if path.startswith(SIGN_IN):
        body = _without_secrets(body)
    if body:
        document |= _describe_body(body, f"{scope['scheme']}://{headers.get('host', '')}")
    return document


def _without_secrets(body: bytes) -> bytes:
    pairs = [
        (name, "SCRUBBED" if name in SECRET else value)
        for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    ]
    return urlencode(pairs).encode()


def _describe_body(body: bytes, origin: str) -> dict[str, str]:
    try:
        return {"body": body.decode().replace(origin, ORIGIN)}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def body_of(recorded: Mapping[str, Json], origin: str) -> bytes:
    """Return the body of a recorded request."""
    if "base64" in recorded:
        return base64.b64decode(recorded["base64"])
    return str(recorded.get("body", "")).replace(ORIGIN, origin).encode()


def answer(status: int, body: bytes) -> dict[str, Json]:
    """Record an answer: its status, its structure, and its IDs and tokens."""
    return {"status": status, "shape": shape(body), "ids": named(body.decode("utf-8", "replace"))}


def named(text: str) -> list[str]:
    """List the tokens and IDs in a text in the order of their first occurrence."""
    tokens = dict.fromkeys(TOKEN.findall(text))
    return [*tokens, *dict.fromkeys(ID.findall(TOKEN.sub(" ", text)))]


def shape(body: bytes) -> Json:
    """Return the structure of an answer: keys, elements, types of values, and a few significant values."""
    if not body:
        return None
    if body.lstrip()[:1] in (b"{", b"["):
        return _of_json(json.loads(body), "")
    if body.lstrip()[:1] == b"<" and b"<!DOCTYPE" not in body:
        return {etree.QName(root := etree.fromstring(body)).localname: _of_element(root)}
    return {"lines": body.decode("utf-8", "replace").splitlines()[:1]}


def _of_json(value: Json, key: str) -> Json:
    if isinstance(value, dict):
        return {name: _of_json(member, name) for name, member in sorted(value.items())}
    if isinstance(value, list):
        return _merge([_of_json(member, key) for member in value])
    if key in SIGNIFICANT_KEYS:
        return f"={json.dumps(value)}"
    kinds = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}
    return kinds[type(value)]


def _of_element(element: etree._Element) -> Json:
    children: dict[str, list[Json]] = {}
    for child in element.iterchildren("*"):
        children.setdefault(etree.QName(child).localname, []).append(_of_element(child))
    name = etree.QName(element).localname
    if not children:
        return f"={element.text}" if name in SIGNIFICANT_KEYS else "text" if element.text else "null"
    return {name: values[0] if len(values) == 1 else _merge(values) for name, values in sorted(children.items())}


def _merge(entries: list[Json]) -> list[Json]:
    """Return each kind of list entry once; the keys of objects are merged."""
    objects = [entry for entry in entries if isinstance(entry, dict)]
    scalars = sorted({json.dumps(entry) for entry in entries if not isinstance(entry, dict)})
    merged: dict[str, Json] = {}
    for name in sorted({name for entry in objects for name in entry}):
        values = {json.dumps(entry[name]) for entry in objects if name in entry}
        values |= set() if all(name in entry for entry in objects) else {'"absent"'}
        only = sorted(values)
        merged[name] = json.loads(only[0]) if len(only) == 1 else [json.loads(entry) for entry in only]
    return [*([merged] if objects else []), *(json.loads(entry) for entry in scalars)]


def is_read(recorded: Mapping[str, Json]) -> bool:
    """Return whether a request only reads; clients repeat such requests while they wait."""
    asks = re.search(r"<(?:\w[\w.-]*:)?(check\w+|list\w+|read\w+|describe\w+)\b", str(recorded.get("body", ""))[:3000])
    return recorded["method"] == "GET" or bool(asks)


def remove_polls(exchanges: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Keep only the last of equal read requests that follow each other, as clients send while they wait."""
    complete = [exchange for exchange in exchanges if exchange]
    return [
        exchange
        for exchange, later in zip(complete, [*complete[1:], None], strict=True)
        if later is None or not is_read(exchange["request"]) or exchange["request"] != later["request"]
    ]


def is_refusal(recorded: Mapping[str, Json]) -> bool:
    """Return whether the org refused the token of a request."""
    return recorded["status"] == UNAUTHORIZED or "INVALID_SESSION_ID" in json.dumps(recorded["shape"])


def save(
    path: Path, header: Mapping[str, Json], tests: Mapping[str, list[dict[str, Json]]], printed: Iterable[str]
) -> None:
    """Write a recording without tokens; tokens that the org has printed all get the same placeholder."""
    about = {
        "recorded_against": {
            "server": f"the local org of sfcode {sfcode.__version__}",
            "salesforce": False,
            "on": f"{datetime.now(UTC):%Y-%m-%d}",
            "again": "make record",
        },
        **header,
    }
    lines = [json.dumps(about)]
    tokens = Tokens(dict.fromkeys(printed, SCRUBBED.format(0)))
    for name, exchanges in tests.items():
        if not header["shared"]:
            tokens = Tokens(dict.fromkeys(printed, SCRUBBED.format(0)))
        lines.append(json.dumps({"test": name}))
        lines += tokens.scrubbed(exchanges)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass
class Tokens:
    """The tokens of one org, and their placeholders."""

    known: dict[str, str]

    def scrubbed(self, exchanges: list[dict[str, Json]]) -> list[str]:
        """Return exchanges with placeholders instead of tokens."""
        lines = [json.dumps(exchange, ensure_ascii=False, sort_keys=True) for exchange in exchanges]
        refused, accepted = set[str](), set(self.known)
        for exchange, line in zip(exchanges, lines, strict=True):
            if exchange["request"]["path"] != OPEN_TO_ALL:
                group = refused if is_refusal(exchange["answer"]) else accepted
                group.update(_plain(token) for token in TOKEN.findall(line))
        self.known |= dict.fromkeys(refused - accepted, WRONG)
        return [TOKEN.sub(lambda match: self._name(_plain(match[0])), line) for line in lines]

    def _name(self, token: str) -> str:
        return self.known.setdefault(token, SCRUBBED.format(len(self.known)))


def _plain(token: str) -> str:
    return token.replace("%21", "!").replace("\\u0021", "!")


def load(path: Path) -> tuple[dict[str, Json], dict[str, list[dict[str, Json]]]]:
    """Read a recording: its header, and the exchanges of each test."""
    header, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    tests: dict[str, list[dict[str, Json]]] = {}
    for line in lines:
        if "test" in line:
            exchanges = tests.setdefault(line["test"], [])
        else:
            exchanges.append(line)
    return header, tests
