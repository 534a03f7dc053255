"""The server of a local Appcues."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from sfcode.local.appcues import api, control
from sfcode.local.appcues.app import AppcuesApp
from sfcode.local.appcues.call import Account, AppcuesApiError, Bucket
from sfcode.local.appcues.journal import Journal
from sfcode.local.appcues.sender import WebhookSender
from sfcode.local.appcues.state import AccountState
from sfcode.local.appcues.values import RATE, STATE_FILE, LocalAppcues
from sfcode.local.clock import Clock, SystemClock
from sfcode.local.faults import InjectedFault
from sfcode.local.http import HOST
from sfcode.local.http.web_server import LocalMiddleware, Server, listen, make_config


@contextlib.contextmanager
def serve_appcues(
    state: Path,
    *,
    port: int = 0,
    clock: Clock | None = None,
    rate: float | None = RATE,
    outbound_hosts: Collection[str] = (),
    faults: Iterable[InjectedFault] = (),
) -> Iterator[LocalAppcues]:
    """
    Serve the account whose state is in a folder on 127.0.0.1, in a thread of this process; port 0 picks a free one.

    With `rate` None the account accepts any number of requests per second. Webhooks are sent only to this machine and to
    `outbound_hosts`.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(port, "--appcues-port"))
        account_state = stack.enter_context(AccountState(state / STATE_FILE))
        account = Account(account_state, clock or SystemClock(), Bucket(rate, time.monotonic()))
        for fault in faults:
            account.faults.arm(fault)
        journal, sender = Journal(), WebhookSender(account, outbound_hosts)
        routes = [*api.routes(), *control.routes(journal, sender, time.monotonic)]
        refusal = AppcuesApiError(403, "the local Appcues answers to 127.0.0.1 and localhost only").response()
        app = LocalMiddleware(AppcuesApp(account, journal, routes, time.monotonic), account.clock, refusal)
        server = Server(make_config(app), listener)
        stack.callback(server.stop)
        server.start()
        stack.callback(sender.stop)
        sender.start()
        yield LocalAppcues(f"http://{HOST}:{listener.getsockname()[1]}")
