"""An org client at a server of the test's own, with time that passes at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from sfcode.org import Org, Runtime, connect
from tests.org.servers import TOKEN, Handler, Server, serving


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def runtime(time: Time) -> Runtime:
    return Runtime(sleep=time.sleep, clock=time.clock, rng=random.Random(1), connect_timeout=2, read_timeout=2)


ServeOrg = Callable[[Handler], tuple[Server, Org]]


@pytest.fixture
def org_at(runtime: Runtime) -> Iterator[ServeOrg]:
    """Start a server with a handler and give a client that is signed in to it."""
    with ExitStack() as stack:

        def start(handler: Handler) -> tuple[Server, Org]:
            server = stack.enter_context(serving(handler))
            environ = {"SF_ACCESS_TOKEN": TOKEN}
            org = connect(server.url, environ=environ, api_version="63.0", runtime=runtime)
            return server, stack.enter_context(org)

        yield start
