"""The server: the application on a port of 127.0.0.1, in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sfcode.errors import SfcodeError
from sfcode.local import auth, company
from sfcode.local.app import make_app
from sfcode.local.automation.delivery import Deliveries
from sfcode.local.clock import Clock, SystemClock, TurnedClock
from sfcode.local.context import Context
from sfcode.local.faults import Fault
from sfcode.local.protocol import Protocol
from sfcode.local.store import Store
from sfcode.local.tls import Identity, identity

STATE_FILE = "org.db"
HOST = "127.0.0.1"
BACKLOG = 256
START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LocalOrg:
    """A local org that answers: where, and how to sign in as its administrator."""

    url: str
    access_token: str
    org_id: str
    username: str
    tls_url: str | None = None
    certificate: Path | None = None
    """What a client has to trust to use `tls_url`."""


def open_store(state: Path) -> Store:
    """Open the state in a folder, which is made when it is not there."""
    return Store(state / STATE_FILE)


@contextlib.contextmanager
def serve(
    state: Path,
    *,
    port: int = 0,
    tls: bool = False,
    tls_port: int = 0,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    deliver: bool = False,
    outbound_hosts: Collection[str] = (),
    faults: Iterable[Fault] = (),
) -> Iterator[LocalOrg]:
    """
    Serve the local org whose state is in a folder; a new one begins as the shipped company.

    With `tls` it is served over https as well, on a port of its own. Port 0 picks a free one.
    With `deliver` its outbound messages go out by themselves, to this machine and `outbound_hosts`.
    """
    context_rng = rng or random.SystemRandom()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(port))
        tls_listener = stack.enter_context(_listener(tls_port, "--tls-port")) if tls else None
        store = stack.enter_context(open_store(state))
        context_clock = _clock(store, clock or SystemClock())
        context = Context(store, context_clock, context_rng)
        company.found(store, now=context_clock.now(), rng=context_rng)
        org = _sign_in(context, listener.getsockname()[1])
        _arm(context, faults)
        deliveries = Deliveries(context, org.url, outbound_hosts)
        app = make_app(context, deliveries)
        servers = [_Server(_config(app), listener)]
        if tls_listener is not None:
            trust = identity(store)
            servers.append(_Server(_config(app, trust), tls_listener))
            tls_url = f"https://{HOST}:{tls_listener.getsockname()[1]}"
            org = replace(org, tls_url=tls_url, certificate=trust.certificate)
        for server in servers:
            stack.callback(server.stop)
            server.start()
        if deliver:
            stack.callback(deliveries.stop)
            deliveries.start()
        yield org


def _clock(store: Store, clock: Clock) -> TurnedClock:
    """Give the clock as somebody may have left it."""
    with store.read() as tx:
        return TurnedClock(clock, timedelta(seconds=float(tx.get(TurnedClock.KEY) or 0)))


def _arm(context: Context, faults: Iterable[Fault]) -> None:
    for fault in faults:
        context.faults.arm(fault)
    context.store.row_locked = lambda name: context.faults.take("row_lock", object_name=name) is not None


def _config(app: ASGIApp, trust: Identity | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        date_header=False,  # the application's, since the org's clock may be turned
        http=Protocol,
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


def _listener(port: int, option: str = "--port") -> socket.socket:
    # With its protocol named, asyncio sets TCP_NODELAY on what it accepts: without, answers wait 40 ms for an ACK.
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


def _sign_in(context: Context, port: int) -> LocalOrg:
    with context.store.read() as tx:
        user = tx.record("User", tx.get("admin_id") or "") or {}
        token = tx.session_token(str(user.get("Id")))
        org_id = tx.get("org_id") or ""
    if token is None:
        with context.store.transaction() as tx:
            token = auth.token_for(tx, str(user["Id"]), now=context.clock.now(), rng=context.rng)
    return LocalOrg(f"http://{HOST}:{port}", token, org_id, str(user["Username"]))


class _Server(uvicorn.Server):
    """uvicorn in a thread, which starts and stops when it is told and not at the next tick of a timer."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener
        self._ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run_thread, name="sfcode-local-org", daemon=True)

    def start(self) -> None:
        """Start, and return when requests are answered."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._error is not None:
            raise RuntimeError("the local org did not start") from self._error

    def stop(self) -> None:
        """Answer what has been asked, then stop."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread.ident is not None:
            self._thread.join()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self._ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once when nothing is being answered; uvicorn would wait 0.1 s to see."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
            if self.config.is_ssl and connection.transport.is_closing():
                # It has been answered; what is left of TLS is to wait for the client to say goodbye as well.
                connection.transport.abort()
        await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for each in sockets or ():
            each.close()
        for server in self.servers:
            await server.wait_closed()

    def _run_thread(self) -> None:
        try:
            self.run(sockets=[self._listener])
        except BaseException as error:  # noqa: BLE001 (start() raises it in the caller's thread)
            self._error = error
        finally:
            self._ready.set()
