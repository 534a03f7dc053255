"""A web server in a thread of this process, on a port of 127.0.0.1, restricted to requests from this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from datetime import UTC
from email.utils import format_datetime

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfcode.errors import SfcodeError
from sfcode.hosts import is_loopback_header
from sfcode.lean_imports import import_without
from sfcode.local.clock import Clock
from sfcode.local.faults.apply import ABORT
from sfcode.local.http import HOST
from sfcode.local.tls import Identity

with import_without("uvicorn", {"uvicorn.main": ("Server", "main", "run"), "logging.config": ()}):
    from uvicorn import Config
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.server import Server as UvicornServer

BACKLOG = 256
START_SECONDS = 10.0


class AbortableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with one extension: an application may close the connection without a response."""

    def on_message_begin(self) -> None:
        """Reset the state for a new request."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"now": self.transport.abort}}


def is_for_this_machine(scope: Scope) -> bool:
    """Return whether the Host header names this machine, which prevents DNS rebinding by web pages."""
    return is_loopback_header(
        next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    )


class LocalMiddleware:
    """
    Refuses requests for another host name, and sets the Date header to a clock's time.

    A web page must not reach the local server by another host name (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, clock: Clock, refusal: Response) -> None:
        self._app = app
        self._clock = clock
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._clock.now().astimezone(UTC), usegmt=True).encode("ascii")
                message = {**message, "headers": [(b"date", date), *message.get("headers", ())]}
            await send(message)

        if scope["type"] == "http":
            await (self._app if is_for_this_machine(scope) else self._refusal)(scope, receive, send_with_date)


def make_config(app: ASGIApp, trust: Identity | None = None) -> Config:
    """Return the configuration of the server."""
    return Config(
        app,
        access_log=False,
        date_header=False,  # the application sets the header, since its clock may be advanced
        http=AbortableProtocol,
        lifespan="off",
        log_config=None,
        loop="asyncio",
        server_header=False,
        ssl_certfile=trust.certificate if trust else None,
        ssl_keyfile=trust.key if trust else None,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        ws="none",
    )


def listen(port: int, option: str = "--port") -> socket.socket:
    """Bind a port; 0 selects a free one."""
    # With an explicit protocol, asyncio sets TCP_NODELAY on accepted sockets; otherwise responses wait 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SfcodeError(
            f"port {port} of {HOST} cannot be served: {error}", f"Choose another one with {option}, or 0 for any."
        ) from error
    return listener


class Server(UvicornServer):
    """uvicorn in a thread that starts and stops immediately, not at the next tick of a timer."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener
        self._ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run_thread, name="sfcode-local", daemon=True)

    def start(self) -> None:
        """Start, and return when the server accepts requests."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._error is not None:
            raise RuntimeError("the local server did not start") from self._error

    def stop(self) -> None:
        """Finish the current requests, then stop."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread.ident is not None:
            self._thread.join()

    async def main_loop(self) -> None:
        """Serve until `stop` is called."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self._ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once if no request is being handled; uvicorn would wait 0.1 s."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
            if self.config.is_ssl and connection.transport.is_closing():
                # The response was sent; the rest of TLS would wait for the client's close_notify.
                connection.transport.abort()
        await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for listener in sockets or ():
            listener.close()
        for server in self.servers:
            await server.wait_closed()

    def _run_thread(self) -> None:
        try:
            self.run(sockets=[self._listener])
        except BaseException as error:  # noqa: BLE001 (start() raises it in the caller's thread)
            self._error = error
        finally:
            self._ready.set()
