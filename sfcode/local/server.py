"""The server: the application on a port of 127.0.0.1, in a thread of this process."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.local import auth, seed
from sfcode.local.app import make_app
from sfcode.local.automation.delivery import Deliveries
from sfcode.local.clock import Clock, OffsetClock, SystemClock
from sfcode.local.context import OrgContext
from sfcode.local.faults import InjectedFault
from sfcode.local.http import HOST
from sfcode.local.http.web_server import Server, listen, make_config
from sfcode.local.store import Store, open_store
from sfcode.local.tls import get_identity
from sfcode.process import raise_file_limit


@dataclass(frozen=True, slots=True)
class LocalOrg:
    """A running local org: its URLs, and the credentials of its administrator."""

    url: str
    access_token: str
    org_id: str
    username: str
    tls_url: str | None = None
    certificate: Path | None = None
    """The certificate that a client must trust to use `tls_url`."""


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
    faults: Iterable[InjectedFault] = (),
) -> Iterator[LocalOrg]:
    """
    Serve the org whose state is in a folder on 127.0.0.1, in a thread of this process; port 0 picks a free one.

    A new org starts with the shipped company. With `tls` it is also served over https, on a separate port with
    a self-signed certificate: LocalOrg.tls_url and LocalOrg.certificate. With `deliver`, outbound messages are sent
    automatically, to this machine and to `outbound_hosts`; otherwise they wait in the state until they are requested or
    delivered by another server.
    """
    raise_file_limit()
    context_rng = rng or random.SystemRandom()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(port))
        tls_listener = stack.enter_context(listen(tls_port, "--tls-port")) if tls else None
        store = stack.enter_context(open_store(state))
        context_clock = _clock(store, clock or SystemClock())
        context = OrgContext(store, context_clock, context_rng)
        seed.ensure_seeded(store, now=context_clock.now(), rng=context_rng)
        org = _sign_in(context, listener.getsockname()[1])
        _arm_faults(context, faults)
        deliveries = Deliveries(context, org.url, outbound_hosts)
        app = make_app(context, deliveries)
        servers = [Server(make_config(app), listener)]
        if tls_listener is not None:
            trust = get_identity(store)
            servers.append(Server(make_config(app, trust), tls_listener))
            tls_url = f"https://{HOST}:{tls_listener.getsockname()[1]}"
            org = replace(org, tls_url=tls_url, certificate=trust.certificate)
        for server in servers:
            stack.callback(server.stop)
            server.start()
        if deliver:
            stack.callback(deliveries.stop)
            deliveries.start()
        yield org


def _clock(store: Store, clock: Clock) -> OffsetClock:
    """Return the clock of the org, which is ahead of `clock` by the offset stored in the state."""
    with store.read() as tx:
        return OffsetClock(clock, timedelta(seconds=float(tx.settings.get(OffsetClock.KEY) or 0)))


def _arm_faults(context: OrgContext, faults: Iterable[InjectedFault]) -> None:
    for fault in faults:
        context.faults.arm(fault)
    context.store.row_locked = lambda name: context.faults.take("row_lock", object_name=name) is not None


def _sign_in(context: OrgContext, port: int) -> LocalOrg:
    with context.store.read() as tx:
        user = tx.records.get("User", tx.settings.get("admin_id") or "") or {}
        token = tx.sessions.lasting_token(str(user.get("Id")))
        org_id = tx.settings.get("org_id") or ""
    if token is None:
        with context.store.transaction() as tx:
            token = auth.get_or_create_token(tx, str(user["Id"]), now=context.clock.now(), rng=context.rng)
    return LocalOrg(f"http://{HOST}:{port}", token, org_id, str(user["Username"]))
