"""
simple-salesforce as it comes from PyPI, signed in to a local org: over HTTP, and over TLS.

It has `https://` written into it. For TLS it is told to trust the org's certificate; for HTTP an adapter of
requests, which the library lets its user bring, changes the scheme on the way.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from vcr import VCR

from sfcode.local import LocalOrg, serve
from sfcode.local.store import Store
from tests.contract.states import with_external_ids
from tests.org import recording

VERSION = "62.0"


def pytest_recording_configure(config: pytest.Config, vcr: VCR) -> None:
    """Write cassettes with a head that says where they come from."""
    vcr.register_serializer("yaml", recording.Serializer)


class PlainHttp(HTTPAdapter):
    """Sends what the library writes as https to the same address over http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **more)


@dataclass(frozen=True)
class Served:
    """An org, how it is reached, and its rows without any client in between."""

    org: LocalOrg
    state: Path
    transport: str

    @property
    def host(self) -> str:
        """The part of the address that the library asks for."""
        return str(self.org.tls_url if self.transport == "tls" else self.org.url).partition("://")[2]

    def session(self) -> requests.Session:
        """Give a session that reaches the org."""
        session = requests.Session()
        session.trust_env = False
        if self.transport == "tls":
            session.verify = str(self.org.certificate)
        else:
            session.mount("https://", PlainHttp())
        return session

    def rows(self, name: str, **wanted: Any) -> list[dict[str, Any]]:
        """Read records from the org's file."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            return [row for row in tx.records(name) if all(row.get(key) == value for key, value in wanted.items())]

    def components(self, kind: str) -> dict[str, Any]:
        """Read components from the org's file: bodies by name."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            return {each.component.full_name: each.component.body for each in tx.components(kind)}


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found an org once, with a certificate, and external ids that its administrator sees."""
    state = tmp_path_factory.mktemp("company")
    with_external_ids(state)
    with serve(state, tls=True):
        pass
    return state


@pytest.fixture(params=["http", "tls"])
def served(request: pytest.FixtureRequest, company: Path, tmp_path: Path) -> Iterator[Served]:
    """Serve an org of this test's own."""
    state = tmp_path / "state"
    shutil.copytree(company, state)
    with serve(state, tls=request.param == "tls") as org:
        yield Served(org, state, request.param)


@pytest.fixture
def sf(served: Served) -> Iterator[Salesforce]:
    """Sign in with the token that the org printed."""
    with served.session() as session:
        yield Salesforce(session_id=served.org.access_token, instance=served.host, version=VERSION, session=session)
