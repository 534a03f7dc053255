"""Endpoints for other programs: liveness, readiness, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sfcode.relay.admin_auth import AdminAuth
from sfcode.relay.service import Service

METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
WRITE_SECONDS = 3.0
"""For the test that the database can be written."""


PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is answered on connections beyond the limits too."""


def routes(service: Service) -> list[Route]:
    """Return the routes of liveness and readiness."""

    async def live(_request: Request) -> Response:
        return PlainTextResponse(f"ok\nconfig {service.config.digest}\n")

    async def ready(_request: Request) -> Response:
        problems = service.problems() or await _database(service)
        return JSONResponse(
            {"ready": not problems, "problems": problems, "notes": service.notes()}, 503 if problems else 200
        )

    return [Route("/healthz", live, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]


def metrics_routes(service: Service, auth: AdminAuth, clock: Callable[[], float]) -> list[Route]:
    """Return the route of the metrics, behind the admin token."""

    async def metrics(request: Request) -> Response:
        return auth.refusal(request, clock()) or Response(
            service.instrumentation.metrics.text(), media_type=METRICS_TYPE
        )

    return [Route("/metrics", metrics, methods=["GET"])]


async def _database(service: Service) -> list[str]:
    try:
        await asyncio.wait_for(asyncio.to_thread(service.inbox.check_writable), WRITE_SECONDS)
    except Exception:  # noqa: BLE001 (whatever it is, nothing can be stored)
        return ["the database cannot be written"]
    return []
