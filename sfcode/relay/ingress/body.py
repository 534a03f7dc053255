"""Receive request bodies within limits of size, time, and memory of all requests together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from sfcode.relay.ingress.limits import IngressLimits, WorkInProgress
from sfcode.relay.ingress.responses import HttpError

BOM = b"\xef\xbb\xbf"
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


class BodyReceiver:
    """Receives the bodies of one endpoint's requests."""

    def __init__(self, limits: IngressLimits, work: WorkInProgress, *, most: int, is_unsigned: bool = False) -> None:
        self._limits = limits
        self._work = work
        self._most = most
        self._is_unsigned = is_unsigned

    @asynccontextmanager
    async def receive(self, request: Request, client: str) -> AsyncIterator[bytes]:
        """Yield the body, and release its reserved memory at the end. Raises HttpError."""
        _check_length(request.headers, self._most)
        body = bytearray()
        counted: AbstractContextManager[None] = self._work.unsigned_body(client) if self._is_unsigned else nullcontext()
        try:
            try:
                with counted:
                    async with asyncio.timeout(self._limits.body_seconds):
                        async for chunk in request.stream():
                            if len(body) + len(chunk) > self._most:
                                raise HttpError(413, "too_large")
                            self._work.take(client, len(body), len(chunk))
                            body += chunk
            except TimeoutError:
                raise HttpError(408, "too_slow", {"Connection": "close"}) from None
            except ClientDisconnect:
                raise HttpError(400, "incomplete", {"Connection": "close"}) from None
            yield bytes(body)
        finally:
            self._work.give_back(client, len(body))


def check_content_type(headers: Headers, types: frozenset[str], *, suffix: str = "") -> None:
    """
    Refuse a body with a wrong type, character set or content encoding in its headers.

    A body without a type is accepted, since the headers of Appcues are not published.
    """
    encodings = [part.strip().lower() for value in headers.getlist("content-encoding") for part in value.split(",")]
    if any(part not in ("", "identity") for part in encodings):
        # A compressed body may be a thousand times as large when unpacked.
        raise HttpError(415, "content_encoding", {"Accept-Encoding": "identity"})
    content_types = headers.getlist("content-type")
    if len(content_types) > 1:
        raise HttpError(415, "content_type")
    if not content_types:
        return
    kind, *parameters = (part.strip().lower() for part in content_types[0].split(";"))
    if kind not in types and not (suffix and kind.endswith(suffix)):
        raise HttpError(415, "content_type")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in _UTF8:
            raise HttpError(415, "charset")


def decode_text(body: bytes) -> str:
    """Decode a body as UTF-8, with or without a byte order mark."""
    try:
        return body.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise HttpError(400, "not_utf8") from None


def _check_length(headers: Headers, most: int) -> None:
    length = headers.get("content-length")
    if length is None:
        return
    if not (length.isascii() and length.isdigit()):
        raise HttpError(400, "content_length")
    if len(length) > 18 or int(length) > most:
        raise HttpError(413, "too_large")
