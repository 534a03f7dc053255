from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sfcode.local import LocalOrg, serve
from sfcode.org import Org, connect
from tests.conftest import STARTED_WITH
from tests.contract.project import API_VERSION, Rendered, found, rendered
from tests.contract.recording import Recordings
from tests.contract.sf import Clients, SfCli, clients
from tests.e2e.journey import Journey

Sf = Callable[..., str]


@pytest.fixture(scope="session", autouse=True)
def recordings(root: Path) -> Iterator[Recordings | None]:
    """Collect what clients send, where SFCODE_RECORD asks for it; write it down when all is done."""
    if not STARTED_WITH.get("SFCODE_RECORD"):
        yield None
        return
    found = Recordings(root)
    with found.listening():
        yield found
    found.save()


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest, recordings: Recordings | None) -> Iterator[None]:
    """Keep what a test sends that is marked `recorded`; once, if it is done over http and TLS."""
    marker = request.node.get_closest_marker("recorded")
    if recordings is None or marker is None or "tls" in request.node.name:
        yield
        return
    with recordings.of(request.node, *marker.args, **marker.kwargs):
        yield


@pytest.fixture(scope="session")
def node_clients(root: Path) -> Clients:
    """Give Salesforce's CLI and library; skip where they are not installed, but never in CI."""
    found = clients(root)
    if isinstance(found, Clients):
        return found
    if os.environ.get("CI") or found.is_a_mistake:
        pytest.fail(found.reason)
    pytest.skip(found.reason)


@pytest.fixture
def sf_cli(node_clients: Clients, tmp_path: Path) -> SfCli:
    """Give the sf CLI with a home of its own, signed in nowhere."""
    home = tmp_path / "home"
    home.mkdir()
    return SfCli(node_clients.sf, home)


@pytest.fixture
def sf(sf_cli: SfCli) -> Sf:
    """Give a function that runs sf in a folder and returns what it prints."""

    def run(folder: Path, *arguments: str) -> str:
        done = sf_cli.run(folder, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Render the repository's own config once, with its secret put in."""
    return rendered(Journey.start(tmp_path_factory.mktemp("project")))


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found the shipped company once, with the integration user that the package names."""
    state = tmp_path_factory.mktemp("seed")
    found(state)
    return state


@pytest.fixture
def state(seed: Path, tmp_path: Path) -> Path:
    """Give a folder with an org that no other test sees."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "org.db").write_bytes((seed / "org.db").read_bytes())
    return folder


@pytest.fixture
def org(state: Path) -> Iterator[LocalOrg]:
    """Serve an org over http and https."""
    with serve(state, tls=True) as org:
        yield org


@pytest.fixture
def ours(org: LocalOrg) -> Iterator[Org]:
    """Look into the org with a client that is not the one being tested."""
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API_VERSION) as client:
        yield client


@pytest.fixture
def at_org(sf_cli: SfCli, org: LocalOrg) -> SfCli:
    """Let sf work on the org without signing in to it."""
    sf_cli.environ |= {"SF_ORG_INSTANCE_URL": org.url, "SF_TARGET_ORG": org.access_token}
    return sf_cli
