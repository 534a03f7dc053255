"""A client of an org that the test serves itself, with a clock on which waiting takes no time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from vcr import VCR

from sfcode.org import Org, Runtime, connect
from tests.org import recording
from tests.org.servers import TOKEN, Handler, Server, serving
from tests.waiting import PATIENCE


@dataclass
class Time:
    """A clock that advances only when the client sleeps."""

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
    return Runtime(
        sleep=time.sleep, clock=time.clock, rng=random.Random(1), connect_timeout=PATIENCE, read_timeout=PATIENCE
    )


ServeOrg = Callable[[Handler], tuple[Server, Org]]


@pytest.fixture
def org_at(runtime: Runtime) -> Iterator[ServeOrg]:
    """Start a server with a handler, and return a client that is signed in to it."""
    with ExitStack() as stack:

        def start(handler: Handler) -> tuple[Server, Org]:
            server = stack.enter_context(serving(handler))
            environ = {"SF_ACCESS_TOKEN": TOKEN}
            org = connect(server.url, environ=environ, api_version="63.0", runtime=runtime)
            return server, stack.enter_context(org)

        yield start


def pytest_recording_configure(config: pytest.Config, vcr: VCR) -> None:
    """Write cassettes with a header that names their origin."""
    vcr.register_serializer("yaml", recording.Serializer)


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    return {
        "before_record_request": recording.clean_request,
        "before_record_response": recording.clean_response,
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        "decode_compressed_response": True,
    }


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """Name a cassette after its test: `test_x[recorded-rest]` is stored in `test_x-rest.yaml`."""
    return request.node.name.replace("[recorded", "").replace("]", "")
