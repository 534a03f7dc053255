"""The format of cassettes: a header with their origin, no token, and one fixed address."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from typing import Any

import yaml
from vcr.request import Request

from sfcode import __version__
from sfcode.metadata.package import unzip

ADDRESS = "127.0.0.1:8300"
_LOOPBACK = re.compile(r"127\.0\.0\.1:\d+")
_ZIP = re.compile(r"(<ZipFile>)([^<]*)(</)")
_SESSION = re.compile(r"(<(?:\w+:)?sessionId>)[^<]*(</)")
_KEPT = {"content-type", "soapaction"}


class Serializer:
    """Cassettes as YAML with a header that states their origin."""

    @staticmethod
    def serialize(cassette: dict[str, Any]) -> str:
        against = {
            "server": f"the local org of sfcode {__version__}",
            "salesforce": False,
            "on": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "again": "make record",
        }
        return yaml.safe_dump({"recorded_against": against, **cassette}, sort_keys=False, allow_unicode=True, width=120)

    @staticmethod
    def deserialize(text: str) -> Any:
        return yaml.safe_load(text)


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body or "")


def _digest(match: re.Match[str]) -> str:
    """Replace a package by the digest of its files, since zlib versions give different bytes."""
    files = sorted(unzip(base64.b64decode(match[2])).items())
    return f"{match[1]}sha256:{hashlib.sha256(repr(files).encode()).hexdigest()}{match[3]}"


def clean_request(request: Request) -> Request:
    """Remove the port and the session from a request, both in the stored and in the compared one."""
    body = _SESSION.sub(r"\1REDACTED\2", _text(request.body))
    if "<ZipFile>sha256:" not in body:  # vcr may clean a request several times
        body = _ZIP.sub(_digest, body)
    headers = {name: value for name, value in request.headers.items() if name.lower() in _KEPT}
    return Request(request.method, _LOOPBACK.sub(ADDRESS, request.uri), body.encode() or None, headers)


def clean_response(response: dict[str, Any]) -> dict[str, Any]:
    """Remove the port from a response, and headers that change from run to run."""
    body = _LOOPBACK.sub(ADDRESS, _text(response["body"]["string"])).encode()
    headers = {name: values for name, values in response["headers"].items() if name.lower() in _KEPT}
    return {**response, "headers": {**headers, "Content-Length": [str(len(body))]}, "body": {"string": body}}
