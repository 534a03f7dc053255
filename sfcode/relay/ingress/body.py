"""Receive request bodies within limits of size, time, and memory of all requests together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from sfcode.relay.ingress.http_errors import HttpError, busy
from sfcode.relay.ingress.limits import ByteBudget, IngressLimits

BOM = b"\xef\xbb\xbf"
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


@asynccontextmanager
async def receive_body(request: Request, most: int, limits: IngressLimits, budget: ByteBudget) -> AsyncIterator[bytes]:
    """Yield the body; its share of the budget is released at the end. Raises HttpError."""
    _check_length(request.headers, most)
    body = bytearray()
    try:
        try:
            async with asyncio.timeout(limits.body_seconds):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > most:
                        raise HttpError(413, "too_large")
                    if not budget.take(len(chunk)):
                        raise busy(limits.busy_seconds, "too_many_bodies")
                    body += chunk
        except TimeoutError:
            raise HttpError(408, "too_slow", {"Connection": "close"}) from None
        except ClientDisconnect:
            raise HttpError(400, "incomplete", {"Connection": "close"}) from None
        yield bytes(body)
    finally:
        budget.give_back(len(body))


def check_content_type(headers: Headers, types: frozenset[str], *, suffix: str = "") -> None:
    """
    Refuse a body by its headers: a wrong type, character set or content encoding.

    A body without a type is read as one of the right type: what Appcues sends is not published.
    """
    packing = [part.strip().lower() for value in headers.getlist("content-encoding") for part in value.split(",")]
    if any(part not in ("", "identity") for part in packing):
        # What is packed may be a thousand times as large unpacked.
        raise HttpError(415, "content_encoding", {"Accept-Encoding": "identity"})
    given = headers.getlist("content-type")
    if len(given) > 1:
        raise HttpError(415, "content_type")
    if not given:
        return
    kind, *parameters = (part.strip().lower() for part in given[0].split(";"))
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
    given = headers.get("content-length")
    if given is None:
        return
    if not (given.isascii() and given.isdigit()):
        raise HttpError(400, "content_length")
    if len(given) > 18 or int(given) > most:
        raise HttpError(413, "too_large")
