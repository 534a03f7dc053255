from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from sfcode.github.client import GitHub
from sfcode.github.context import JobContext, read_job_context
from sfcode.org.options import Runtime
from tests.github.server import State, serve_github
from tests.waiting import PATIENCE


@dataclass
class Hub:
    """The local GitHub, and clients of it that count their pauses instead of sleeping."""

    url: str
    state: State
    waits: list[float] = field(default_factory=list)
    clients: list[GitHub] = field(default_factory=list)

    def environ(self, **more: str) -> dict[str, str]:
        token = next(iter(self.state.tokens))
        return {
            "GITHUB_TOKEN": token,
            "GITHUB_REPOSITORY": self.state.repository,
            "GITHUB_API_URL": self.url,
            "GITHUB_REF": "refs/pull/7/merge",
            **more,
        }

    def context(self, **more: str) -> JobContext:
        return read_job_context(self.environ(**more))

    def client(self, needs: str = "pull-requests: write", **more: str) -> GitHub:
        runtime = Runtime(sleep=self.waits.append, now=lambda: 1_000_000.0, rng=random.Random(1), read_timeout=PATIENCE)
        client = GitHub(self.context(**more), needs, runtime)
        self.clients.append(client)
        return client


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Serve an empty repository."""
    with serve_github() as (url, state):
        new_hub = Hub(url, state)
        yield new_hub
        for client in new_hub.clients:
            client.__exit__()


@pytest.fixture
def event(tmp_path) -> Callable[[str], str]:
    """Return a function that writes the event of a workflow run to a file."""

    def write(text: str) -> str:
        path = tmp_path / "event.json"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write
