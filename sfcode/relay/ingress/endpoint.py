"""The common part of both endpoints: methods, refusals, and waiting for the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.relay.ingress import responses
from sfcode.relay.ingress.client_address import Network, name_client, original_address
from sfcode.relay.ingress.limits import KIB, IngressLimits, WorkInProgress
from sfcode.relay.ingress.responses import HttpError, busy
from sfcode.relay.instrumentation import IngressEvents
from sfcode.relay.message import InboxMessage
from sfcode.relay.request_context import request_id
from sfcode.relay.tracing import trace, traceparent

Accept = Callable[[Sequence[InboxMessage]], Awaitable[int]]
"""Commits messages, and returns once they are committed; raises an error if that is not possible at present."""

_QUICK = 64 * KIB
T = TypeVar("T")


@dataclass(frozen=True)
class IngressEndpoint:
    """An ASGI application for one route: handles any method, limits each client, formats refusals."""

    source: str
    handle: Callable[[Request, str], Awaitable[Response]]
    """Answers the request of a client. Raises HttpError."""
    refuse: Callable[[HttpError], Response]
    work: WorkInProgress
    events: IngressEvents
    proxies: Sequence[Network] = ()
    """Proxies whose `X-Forwarded-*` headers are trusted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        client = name_client(original_address(request, self.proxies))
        try:
            if request.method != "POST":
                raise HttpError(405, "method_not_allowed", {"Allow": "POST"})
            with self.work.request(client):
                response = await self.handle(request, client)
        except HttpError as refusal:
            self.events.record_refused(self.source, refusal.detail, refusal.status)
            response = self.refuse(refusal)
        except Exception:
            await self.refuse(HttpError(500, "internal_error"))(scope, receive, send)
            raise  # the server logs the exception
        await response(scope, receive, send)


class NotFound:
    """An ASGI application that answers 404 to any request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await responses.answer_refused(HttpError(404, "not_found"))(scope, receive, send)


class Committer:
    """Commits messages within a time limit. After the limit a commit may still succeed; the sender sends again anyway."""

    def __init__(self, accept: Accept, limits: IngressLimits) -> None:
        self._accept = accept
        self._limits = limits
        self._late: set[asyncio.Task[int]] = set()

    async def commit(self, messages: Sequence[InboxMessage]) -> None:
        """Return once the messages are committed. Raises HttpError (503) if they are not, or if that is not certain."""
        if not messages:
            return
        with trace("commit", **{"sfcode.messages": len(messages)}):
            await self._commit(_of_request(messages))

    async def _commit(self, messages: Sequence[InboxMessage]) -> None:
        task = asyncio.ensure_future(_wait_for(self._accept(messages)))
        done, _ = await asyncio.wait({task}, timeout=self._limits.accept_seconds)
        if not done:
            self._late.add(task)
            task.add_done_callback(self._forget)
            raise busy(self._limits.busy_seconds, "not_committed_in_time")
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            # The message of a database error may quote values, so only its type is logged.
            cause = "cancelled" if error is None else type(error).__name__
            raise busy(self._limits.busy_seconds, f"not_committed: {cause}")

    def _forget(self, task: asyncio.Task[int]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()


async def run_in_thread_if_large(size: int, work: Callable[..., T], *arguments: object) -> T:
    """Run large work in a thread, so that other requests are answered at the same time."""
    if size <= _QUICK:
        return work(*arguments)
    return await asyncio.to_thread(partial(work, *arguments))


def _of_request(messages: Sequence[InboxMessage]) -> Sequence[InboxMessage]:
    """Add the ID and the trace of the present request to messages."""
    current, parent = request_id.get(), traceparent()
    if not current and not parent:
        return messages
    return [replace(message, request_id=current, traceparent=parent) for message in messages]


async def _wait_for(result: Awaitable[int]) -> int:
    return await result
