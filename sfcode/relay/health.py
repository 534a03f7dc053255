"""Endpoints for other programs: liveness, readiness, metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sfcode.relay.admin_auth import AdminAuth
from sfcode.relay.service import Service

METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
WRITE_SECONDS = 3.0
"""Time limit for the write check, in seconds."""
FRESH_SECONDS = 1.0
"""The time in seconds for which the result of a write check is reused."""

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered also on connections beyond the limits."""


def routes(service: Service) -> list[Route]:
    """Return the routes of liveness and readiness."""
    database = WriteCheck(service.inbox)

    async def live(_request: Request) -> Response:
        return PlainTextResponse(f"ok\nconfig {service.config.digest}\n")

    async def ready(_request: Request) -> Response:
        problems = service.problems()
        if not problems and not await database.is_writable():
            problems = ["the database cannot be written"]
        return JSONResponse(
            {"ready": not problems, "problems": problems, "notes": service.notes()}, 503 if problems else 200
        )

    return [Route("/healthz", live, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]


def metrics_routes(service: Service, auth: AdminAuth, clock: Callable[[], float]) -> list[Route]:
    """Return the route of the metrics, behind a token."""

    async def metrics(request: Request) -> Response:
        principal = await auth.admit(request, clock())
        if isinstance(principal, Response):
            return principal
        values = service.instrumentation.metrics
        values.ready.set(not service.problems())
        return Response(values.text(), media_type=METRICS_TYPE)

    return [Route("/metrics", metrics, methods=["GET"])]


class CheckedStore(Protocol):
    """A database whose writability can be checked."""

    def check_writable(self) -> None:
        """Raise an error unless the database can be written."""


class WriteCheck:
    """
    Checks that the database can be written, with one check for any number of requests.

    Each check is a transaction and occupies a thread until the database answers. Frequent requests must not take these
    from deliveries.
    """

    def __init__(self, store: CheckedStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._running: asyncio.Future[None] | None = None
        self._began = 0.0

    async def is_writable(self) -> bool:
        """Return whether the database can be written, from a check of the last `FRESH_SECONDS`."""
        running = self._running
        if running is None or (running.done() and self._clock() - self._began >= FRESH_SECONDS):
            self._began = self._clock()
            running = self._running = asyncio.ensure_future(asyncio.to_thread(self._store.check_writable))
        done, _ = await asyncio.wait({running}, timeout=WRITE_SECONDS)
        return bool(done) and not running.cancelled() and running.exception() is None
