"""
simple-salesforce from PyPI, signed in to a local org over HTTP and over TLS, and to the named org.

The library always uses `https://`. For TLS it trusts the org's certificate. For HTTP, an adapter for requests, which
users of the library may pass, changes the scheme.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from vcr import VCR

from sfcode.local import serve
from tests.contract.conftest import REAL
from tests.contract.states import with_external_ids
from tests.contract.target_org import CLIENT_VERSION, TargetOrg, local
from tests.org import recording

VERSION = CLIENT_VERSION


def pytest_recording_configure(config: pytest.Config, vcr: VCR) -> None:
    """Write cassettes with a header that names their origin."""
    vcr.register_serializer("yaml", recording.Serializer)


class PlainHttp(HTTPAdapter):
    """Sends the https requests of the library over http to the same address."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **more)


@dataclass(frozen=True)
class Served(TargetOrg):
    """An org, and how a client connects to it."""

    transport: str = "http"

    @classmethod
    def at(cls, target_org: TargetOrg, transport: str) -> Served:
        return cls(**{field.name: getattr(target_org, field.name) for field in fields(target_org)}, transport=transport)

    @property
    def host(self) -> str:
        """The part of the address that the library requires."""
        return str(self.tls_url if self.transport == "tls" else self.url).partition("://")[2]

    def session(self) -> requests.Session:
        """Return a session that can connect to the org."""
        session = requests.Session()
        session.trust_env = False
        if self.transport == "tls":
            session.verify = str(self.certificate) if self.certificate else True
        else:
            session.mount("https://", PlainHttp())
        return session


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an org once, with a certificate, and with external ID fields that its administrator can read."""
    state = tmp_path_factory.mktemp("company")
    with_external_ids(state)
    with serve(state, tls=True):
        pass
    return state


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Connect to the local org over HTTP and over TLS, and to the named org in its own way."""
    if "served" in metafunc.fixturenames:
        metafunc.parametrize("served", ["http", "tls", REAL], indirect=True)


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Serve a new org; or return the named one, with a unique word for the names of this test's data."""
    if request.param == "real":
        target_org = request.getfixturevalue("shared_data").for_test()
        yield Served.at(target_org, "tls" if target_org.tls_url else "http")
        return
    state = request.getfixturevalue("tmp_path") / "state"
    shutil.copytree(request.getfixturevalue("company"), state)
    with serve(state, tls=request.param == "tls") as org, local(org) as target_org:
        yield Served.at(target_org, request.param)


@pytest.fixture
def sf(served: Served) -> Iterator[Salesforce]:
    """Return simple-salesforce, signed in with a token."""
    with served.session() as session:
        yield Salesforce(session_id=served.access_token, instance=served.host, version=VERSION, session=session)
