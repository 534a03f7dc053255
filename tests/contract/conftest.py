from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from sfcode.local import serve
from sfcode.org import Org
from tests.conftest import STARTED_WITH, real_resources
from tests.contract import target_org as target_orgs
from tests.contract.evidence import PROPERTY, ClientSteps, describe_step
from tests.contract.project import Rendered, create_org, renamed, rendered
from tests.contract.recording import Recordings
from tests.contract.sf import Clients, SfCli, clients
from tests.contract.target_org import NamedOrg, TargetOrg
from tests.e2e.journey import Journey

Sf = Callable[..., str]

REAL = pytest.param("real", marks=pytest.mark.org)
"""The parameter for the org that SFCODE_TEST_ORG names, in addition to the local org."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test against the local org and, if SFCODE_TEST_ORG names one, against that org."""
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", ["local", REAL], indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "local_only(reason): the test needs features that only the local org has")
    if STARTED_WITH.get("SFCODE_TEST_ORG"):
        file = STARTED_WITH.get("SFCODE_TEST_EVIDENCE", config.rootpath / "org-evidence.json")
        config.pluginmanager.register(ClientSteps(Path(file)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record the result of a step in the named org."""
    report = yield
    if item.get_closest_marker("org") and (report.when == "call" or (report.when == "setup" and not report.passed)):
        error = call.excinfo.value if call.excinfo else None
        report.user_properties.append((PROPERTY, describe_step(item.nodeid, report.outcome, error)))  # type: ignore[arg-type]
    return report


@pytest.fixture
def target(request: pytest.FixtureRequest) -> str:
    """Return the org of a test; skip tests that need the local org, with the reason."""
    only = request.node.get_closest_marker("local_only")
    if only and request.param == "real":
        pytest.skip(f"in the local org only: {only.args[0]}")
    return str(request.param)


@pytest.fixture(scope="session")
def named_org() -> Iterator[NamedOrg]:
    """Sign in to the named org once, and restore it at the end."""
    with real_resources():
        entered = target_orgs.opened(STARTED_WITH["SFCODE_TEST_ORG"], dict(os.environ))
        real = entered.__enter__()
    yield real
    with real_resources():
        entered.__exit__(None, None, None)


@pytest.fixture(scope="session")
def shared_data(named_org: NamedOrg) -> NamedOrg:
    """Create the data of the named org that many tests need."""
    with real_resources():
        target_orgs.create_shared_data(named_org.org)
    return named_org


@pytest.fixture(scope="session", autouse=True)
def recordings(root: Path) -> Iterator[Recordings | None]:
    """If SFCODE_RECORD is set, record the requests of clients, and write the recordings when all tests are done."""
    if not STARTED_WITH.get("SFCODE_RECORD"):
        yield None
        return
    all_recordings = Recordings(root)
    with all_recordings.record_orgs():
        yield all_recordings
    all_recordings.save()


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest, recordings: Recordings | None) -> Iterator[None]:
    """Record the requests of a test that is marked `recorded`; a test that runs over HTTP and over TLS is recorded once."""
    marker = request.node.get_closest_marker("recorded")
    if recordings is None or marker is None or "tls" in request.node.name:
        yield
        return
    if "org" in request.fixturenames:
        request.getfixturevalue("seed")  # created first, since its own requests are not recorded
    with recordings.of(request.node, *marker.args, **marker.kwargs):
        yield


@pytest.fixture(scope="session")
def node_clients(root: Path) -> Clients:
    """Return Salesforce's CLI and library; skip the test if they are not installed, except in CI."""
    installed = clients(root)
    if isinstance(installed, Clients):
        return installed
    if os.environ.get("CI") or installed.is_a_mistake:
        pytest.fail(installed.reason)
    pytest.skip(installed.reason)


@pytest.fixture
def sf_cli(node_clients: Clients, tmp_path: Path) -> SfCli:
    """Return the sf CLI with a new home folder, without a sign-in."""
    home = tmp_path / "home"
    home.mkdir()
    return SfCli(node_clients.sf, home)


@pytest.fixture
def sf(sf_cli: SfCli) -> Sf:
    """Return a function that runs sf in a folder and returns what it prints."""

    def run(folder: Path, *arguments: str) -> str:
        result = sf_cli.run(folder, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.fixture(scope="session")
def own_package(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Render the repository's own config once, with its secret inserted."""
    return rendered(Journey.start(tmp_path_factory.mktemp("project")))


@pytest.fixture(scope="session")
def renamed_package(tmp_path_factory: pytest.TempPathFactory, shared_data: NamedOrg) -> Rendered:
    """Render the config once with names of this run, and with the objects and users of the named org."""
    journey = Journey.start(tmp_path_factory.mktemp("project"))
    with real_resources():
        return renamed(journey, shared_data.org)


@pytest.fixture
def package(target: str, request: pytest.FixtureRequest) -> Rendered:
    """Return the repository's own project, as the org of this test accepts it."""
    package: Rendered = request.getfixturevalue("own_package" if target == "local" else "renamed_package")
    return package


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the shipped company once, with the integration user of the package."""
    state = tmp_path_factory.mktemp("seed")
    create_org(state)
    return state


@pytest.fixture
def state(seed: Path, tmp_path: Path) -> Path:
    """Return a folder with a separate org for this test."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "org.db").write_bytes((seed / "org.db").read_bytes())
    return folder


@pytest.fixture
def org(target: str, request: pytest.FixtureRequest) -> Iterator[TargetOrg]:
    """Serve a new org over http and https; or return the named one, and delete the test data at the end."""
    if target == "real":
        real: NamedOrg = request.getfixturevalue("named_org")
        yield real.for_test()
        target_orgs.delete_test_data(real.org.client, real.org.word)
        return
    with serve(request.getfixturevalue("state"), tls=True) as org, target_orgs.local(org) as target_org:
        yield target_org


@pytest.fixture
def client(org: TargetOrg) -> Org:
    """Return a client of the org that is independent of the tested client."""
    return org.client


@pytest.fixture
def at_org(sf_cli: SfCli, org: TargetOrg) -> SfCli:
    """Give sf the access token of the org, so that it needs no sign-in."""
    sf_cli.environ |= {"SF_ORG_INSTANCE_URL": org.url, "SF_TARGET_ORG": org.access_token}
    if org.is_real:
        sf_cli.environ |= org.environ
    return sf_cli
