"""All relay processes of an inbox together have the request rate of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, nullcontext

import pytest

from sfcode.relay import main
from sfcode.relay.api_calls import PendingApiCalls
from sfcode.relay.appcues.writer import SECONDS
from sfcode.relay.config import ConfigSource
from sfcode.relay.inbox import open_inbox
from sfcode.relay.service import REQUESTS_PER_SECOND, Service
from tests.relay.serving import ROOT, IdentityOrg, Relay

ACCOUNT = 60.0
"""Requests per second that Appcues accepts from one account (https://github.com/appcues/cli)."""


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> Callable[[int], list[Service]]:
    """Return a function that creates relay processes with one inbox, as `sfcode relay serve` does."""
    stack, alive = ExitStack(), list[Service]()

    def start(number: int) -> list[Service]:
        def run(service: Service, *_: object) -> None:
            alive.append(service)
            asyncio.run(service.housekeeping.beat())
            if len(alive) < number:
                serve()
            else:
                raise KeyboardInterrupt  # all processes exist; their inboxes stay open until the test ends

        monkeypatch.setattr(main, "run", run)
        monkeypatch.setattr(
            main, "open_inbox", lambda url, **more: nullcontext(stack.enter_context(open_inbox(url, **more)))
        )
        with pytest.raises(KeyboardInterrupt):
            serve()
        return alive

    def serve() -> None:
        relay = Relay(sqlite_url)
        source = ConfigSource(ROOT / "config", relay.config, {})
        main.serve(relay.config(), source, lambda _: IdentityOrg(), lambda *_: None, PendingApiCalls())  # type: ignore[arg-type,return-value]

    with stack:
        yield start


def profiles_at_once(service: Service) -> int:
    """Return the number of profiles that the writer to Appcues delivers at a time."""

    async def ask() -> int:
        writer = service._builders.to_appcues(service, service.config, service._types)
        try:
            return writer.keys
        finally:
            await writer.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("number", [1, 2, 7])
def test_the_rate_is_divided_by_the_processes_that_are_alive(
    processes: Callable[[int], list[Service]], number: int
) -> None:
    alive = processes(number)
    for service in alive:
        asyncio.run(service.housekeeping.beat())
    together = [profiles_at_once(service) for service in alive]
    assert together == [int(REQUESTS_PER_SECOND / number * SECONDS)] * number
    assert sum(together) / SECONDS <= REQUESTS_PER_SECOND < ACCOUNT


def test_a_process_that_leaves_hands_its_share_on(processes: Callable[[int], list[Service]]) -> None:
    first, second = processes(2)
    asyncio.run(first.housekeeping.beat())
    shared = profiles_at_once(first)
    second.housekeeping.leave()
    asyncio.run(first.housekeeping.beat())
    assert profiles_at_once(first) == 2 * shared
