"""
The local Appcues: an emulator of Appcues' HTTP API on this machine, which sends webhooks too.

It stands in for an account in tests and in the demo. Its state is one SQLite file in a folder, the
local org's where both are served together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sfcode.local.appcues.values import ACCOUNT_ID, API_KEY, API_SECRET, RATE, LocalAppcues

if TYPE_CHECKING:
    from sfcode.local.clock import Clock
    from sfcode.local.faults import InjectedFault

__all__ = ["ACCOUNT_ID", "API_KEY", "API_SECRET", "LocalAppcues", "reset", "serve_appcues"]

STATE_FILE = "appcues.db"


@contextmanager
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

    With `rate` None it takes any number of requests per second. Its webhooks go to this machine and to `outbound_hosts`.
    """
    from sfcode.local.appcues import server

    with server.serve(
        state / STATE_FILE, port=port, clock=clock, rate=rate, outbound_hosts=outbound_hosts, faults=faults
    ) as account:
        yield account


def reset(state: Path) -> None:
    """Delete all that the account in this folder holds; there need not be one."""
    if not (state / STATE_FILE).exists():
        return
    from sfcode.local.appcues.state import AccountState

    with AccountState(state / STATE_FILE) as account:
        account.clear()
