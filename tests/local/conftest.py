"""An org for each test, copied from one that is created once."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sfcode.local import LocalOrg, reset, serve
from sfcode.local.record_writer import RecordWriter
from sfcode.local.seed import ensure_seeded
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.soql.execute import run
from sfcode.local.store import OrgTransaction, Store
from sfcode.metadata.component import Component

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that only the test advances."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def wait(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@dataclass
class Rest:
    """Requests to one org as its administrator."""

    org: LocalOrg
    version: str = "62.0"
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.org.access_token}"

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"{self.org.url}/services/data/v{self.version}{path}", **more)

    def rows(self, query: str) -> list[dict[str, Any]]:
        answer = self("GET", "/query", params={"q": query})
        assert answer.status_code == 200, answer.text
        return answer.json()["records"]

    def value(self, query: str) -> Any:
        (row,) = self.rows(query)
        return next(value for name, value in row.items() if name != "attributes")

    def create(self, object_name: str, **values: Any) -> str:
        answer = self("POST", f"/sobjects/{object_name}", json=values)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def error(self, method: str, path: str, **more: Any) -> tuple[int, str, str, list[str] | None]:
        """Return status, code, message and fields of a call's only error."""
        answer = self(method, path, **more)
        (error,) = answer.json()
        return answer.status_code, error["errorCode"], error["message"], error.get("fields")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the shipped company once."""
    state = tmp_path_factory.mktemp("seed")
    reset(state, clock=HandClock(), rng=random.Random(1))
    return state


@pytest.fixture
def state(seed: Path, tmp_path: Path) -> Path:
    """Return a folder with the shipped company."""
    shutil.copytree(seed, tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    """Return the store of the shipped company."""
    with Store(state / "org.db") as store:
        ensure_seeded(store, now=NOON, rng=random.Random(1))
        yield store


@pytest.fixture
def soql(store: Store) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that executes a query at noon and returns its rows without attributes."""

    def rows(text: str) -> list[dict[str, Any]]:
        with store.read() as tx:
            return [_bare(record) for record in run(text, tx, NOON, "/services/data/v62.0").records]

    return rows


def open_fields(tx: OrgTransaction, *full_names: str, profile: str = "Admin", editable: bool = True) -> None:
    """Give a profile field permissions."""
    stored = tx.components.get("Profile", profile)
    assert stored is not None
    body: dict[str, Any] = dict(stored.component.body)
    rights = {name: {"editable": editable, "readable": True} for name in full_names}
    body["fieldPermissions"] = dict(body.get("fieldPermissions") or {}) | rights
    tx.components.put(Component("Profile", profile, body), user_id="u", now=NOON)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(member) for key, member in value.items() if key != "attributes"}
    return [_bare(member) for member in value] if isinstance(value, list) else value


@pytest.fixture
def writer(store: Store) -> Iterator[RecordWriter]:
    """Return a writer that acts for the administrator, in a transaction that ends with the test."""
    with store.transaction() as tx:
        yield RecordWriter(tx, Catalog(tx), tx.settings.get("admin_id") or "", NOON)


@pytest.fixture
def org(state: Path, clock: HandClock) -> Iterator[LocalOrg]:
    """Serve the shipped company."""
    with serve(state, clock=clock, rng=random.Random(2)) as org:
        yield org


@pytest.fixture
def rest(org: LocalOrg) -> Iterator[Rest]:
    """Return a way to call the org."""
    rest = Rest(org)
    with rest.session:
        yield rest
