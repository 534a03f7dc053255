"""The relay's web server: application, uvicorn, graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfcode.errors import UsageError
from sfcode.process import raise_file_limit
from sfcode.relay import dashboard, health
from sfcode.relay.admin_auth import AdminAuth
from sfcode.relay.config import ConfigReloader
from sfcode.relay.connections import ConnectionLimits, ConnectionTable
from sfcode.relay.http_protocol import HttpProtocol
from sfcode.relay.ingress.client_address import Network, networks
from sfcode.relay.request_context import HEADER, choose_request_id, request_id
from sfcode.relay.service import Service
from sfcode.relay.tracing import trace_request

log = structlog.stdlib.get_logger(__name__)

BACKLOG = 1024
ANSWER_SECONDS = 10
"""The time in seconds for which a stop waits for requests in progress."""
THREADS = 16
SWITCH_SECONDS = 0.0005
"""
The interval of `sys.setswitchinterval` in seconds. The default of 5 ms suits programs that mainly compute.

A commit needs the GIL about ten times, and would wait up to 5 ms each time while requests keep the event loop busy.
"""
SOURCES = {"/webhooks/": "appcues", "/outbound-messages/": "salesforce"}


def make_app(
    service: Service, *, ingress: bool = True, admin: bool = True, clock: Callable[[], float] = time.time
) -> ASGIApp:
    """Build the ASGI application of one port: health checks and, optionally, the ingress and the dashboard."""
    auth = AdminAuth(
        service.config.settings.admin,
        service.instrumentation,
        store=service.inbox.limit_reads(dashboard.VIEW_SECONDS).tokens,
        proxies=partial(_trusted_proxies, service),
        sessions_end=lambda: service.housekeeping.sessions_end,
    )
    pages = [*health.metrics_routes(service, auth, clock), *dashboard.routes(service, auth, clock)] if admin else []
    app = route_app([*health.routes(service), *pages])
    return _Dispatcher(app, service) if ingress else app


def route_app(routes: Sequence[BaseRoute]) -> ASGIApp:
    """Build an application of some routes, with short responses for all errors."""
    app = Starlette(routes=routes, exception_handlers={HTTPException: _answer_refusal, 500: _answer_failure})
    # Paths must match exactly: a redirect for a trailing slash would lose the request's body.
    app.router.redirect_slashes = False
    return app


def listen(host: str, port: int) -> socket.socket:
    """Open the port. Raises UsageError if that is not possible."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise UsageError(
            f"{host} is not an address of this machine: {error.strerror}.", "Pass one with --host."
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"Port {port} of {host} cannot be opened: {error.strerror}.",
            "Pass another one with --port, or 0 for any free port.",
        ) from error
    return listener


def run(
    service: Service,
    listener: socket.socket,
    ready: Callable[[], None],
    reloader: ConfigReloader,
    admin_listener: socket.socket | None = None,
) -> None:
    """
    Serve until SIGTERM or SIGINT, then finish requests and deliveries; a second signal ends the process at once.

    The config is loaded again when its files change, and on SIGHUP. With `admin_listener`, the dashboard and the metrics
    are served there alone, and health checks on both.
    """
    import uvloop

    raise_file_limit()
    sys.setswitchinterval(SWITCH_SECONDS)
    server = _server(service, make_app(service, admin=admin_listener is None))
    server.ready = ready
    admin = None if admin_listener is None else (_server(service, make_app(service, ingress=False)), admin_listener)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(service, server, listener, reloader, admin))


async def _serve(
    service: Service,
    server: _Server,
    listener: socket.socket,
    reloader: ConfigReloader,
    admin: tuple[_Server, socket.socket] | None,
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="relay"))

    def stop() -> None:
        if server.should_exit:
            log.warning("stopped_at_once")
            sys.stderr.flush()
            os._exit(130)
        log.info("stopping")
        server.should_exit = True
        service.stop_claiming()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await service.start()
        loop.add_signal_handler(signal.SIGHUP, reloader.request)
        async with _reload_config(reloader), _serve_admin(admin):
            await server.serve(sockets=[listener])
    finally:
        await service.stop()
    log.info("stopped")


@contextlib.asynccontextmanager
async def _reload_config(reloader: ConfigReloader) -> AsyncIterator[None]:
    """Reload the config when its files change, during the block."""
    task = asyncio.create_task(reloader.run(), name="config-reloader")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _serve_admin(admin: tuple[_Server, socket.socket] | None) -> AsyncIterator[None]:
    """Serve the port of the dashboard and the metrics until the other port is closed."""
    if admin is None:
        yield
        return
    server, listener = admin
    task = asyncio.create_task(server.serve(sockets=[listener]), name="admin")
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, with a callback when it is ready."""

    ready: Callable[[], None] = staticmethod(lambda: None)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield

    async def main_loop(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self.ready()
        await super().main_loop()


def _server(service: Service, app: ASGIApp) -> _Server:
    table = ConnectionTable(
        ConnectionLimits(),
        partial(_trusted_proxies, service),
        service.instrumentation.record_refused_connection,
    )
    return _Server(configure_server(app, table))


def _trusted_proxies(service: Service) -> Sequence[Network]:
    """Return the trusted proxies of the present config."""
    return networks(service.config.project.settings.relay.trusted_proxies)


def configure_server(app: ASGIApp, table: ConnectionTable) -> uvicorn.Config:
    """Configure uvicorn for one port."""
    return uvicorn.Config(
        app,
        access_log=False,  # paths contain tokens
        http=partial(HttpProtocol, table=table, health_app=_HealthOnly(app)),  # type: ignore[arg-type]  # it is only called
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=ANSWER_SECONDS,
        timeout_keep_alive=75,
        ws="none",
    )


class _HealthOnly:
    """Answers health checks, and everything else with 503, on connections beyond the limits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in health.PATHS:
            await self._app(scope, receive, send)
            return
        headers = {"Connection": "close", "Retry-After": "5"}
        await PlainTextResponse("Too many connections\n", 503, headers)(scope, receive, send)


class _Dispatcher:
    """Passes webhooks and outbound messages to the present config's ingress and counts them; other requests to the pages."""

    def __init__(self, pages: ASGIApp, service: Service) -> None:
        self._pages = pages
        self._service = service
        self._metrics = service.instrumentation.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope.get("headers", ())
        current = choose_request_id(headers)
        request_id.set(current)  # a context variable of this request's task only

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (HEADER, current.encode())]}
            await send(message)

        path = scope.get("path", "")
        source = next((name for start, name in SOURCES.items() if path.startswith(start)), None)
        if source is None:
            await self._pages(scope, receive, send_with_id)
            return
        with trace_request(source, headers) as end:

            async def send_and_count(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._metrics.received.labels(source, str(message["status"])).inc()
                    end(message["status"])
                await send_with_id(message)

            await self._service.ingress(scope, receive, send_and_count)


def _answer_refusal(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = error.headers if isinstance(error, HTTPException) else None
    return PlainTextResponse(f"{error.detail if isinstance(error, HTTPException) else 'Not Found'}\n", status, headers)


def _answer_failure(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Internal Server Error\n", 500)
