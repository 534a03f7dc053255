"""
Rules for every test: no network except loopback, no home folder, no org, and no effects on other tests.

The environment is set before any test module is imported, and child processes inherit it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import http.server
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import certifi
import hypothesis
import pytest

from tests import schedule
from tests.process_state import process_state_restored

http.server.HTTPServer.request_queue_size = 128
"""
The number of connections that servers of tests keep waiting. With the default of five, a busy machine drops some of
them for seconds.
"""

ROOT = Path(__file__).resolve().parent.parent
GUARD = ROOT / "tests" / "guard"
MEMORY = Path("/dev/shm")
AUTHORITIES = "SSL_CERT_FILE"
_HANDED_ON = "TESTS_HANDED_ON"
_FOREIGN = ("SF_", "SFDX_", "SFCODE_", "APPCUES_", "XDG_", "GIT_", "GITHUB_")


def _is_foreign(name: str) -> bool:
    return name.startswith(_FOREIGN) or name in {
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
    }


def has_room(folder: Path) -> bool:
    """Return whether a folder has 2 GiB for the files of all tests, and programs can be started from it."""
    if not os.access(folder, os.W_OK):
        return False
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize >= 2 << 30 and not status.f_flag & os.ST_NOEXEC


def _make_folder(name: str) -> str:
    folder = tempfile.mkdtemp(prefix=f"sfcode-tests-{name}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _write_authority(folder: str) -> str:
    """
    Write the file of the only certificate authority that clients trust.

    Tests connect to this machine only, and a client needs 30 ms to read all authorities of an operating system.
    """
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    file = Path(folder) / "authority.pem"
    file.write_text(first + end, encoding="utf-8")
    return str(file)


def _close_environment() -> Mapping[str, str]:
    """Set a home folder and an environment without an org for this run; return the original environment."""
    # A worker of pytest-xdist starts in the closed environment. It gets these names, which contain no secret, from its
    # parent.
    before = MappingProxyType({**json.loads(os.environ.pop(_HANDED_ON, "{}")), **os.environ})
    if "PYTEST_XDIST_WORKER" not in before:
        names = ("SFCODE_TEST_ORG", "SFCODE_TEST_METADATA", "SFCODE_SF")
        os.environ[_HANDED_ON] = json.dumps({name: before[name] for name in names if name in before})
    # Without stored bytecode, each of the many programs that tests start would compile all modules that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Tests commit to files thousands of times, and on a disk they wait for each commit.
    if "TMPDIR" not in os.environ and has_room(MEMORY):
        tempfile.tempdir = str(MEMORY)
        os.environ["TMPDIR"] = tempfile.tempdir = _make_folder("files")
    home = _make_folder("home")
    for name in filter(_is_foreign, before):
        os.environ.pop(name, None)
    os.environ.setdefault("TESTS_REAL_HOME", str(Path.home().resolve()))
    allowed = (ROOT, home, tempfile.gettempdir(), sys.prefix, sys.base_prefix)
    folders = [str(Path(folder).resolve()) for folder in allowed] + [str(folder) for folder in allowed]
    os.environ.update(
        HOME=home,
        **{AUTHORITIES: _write_authority(home)},
        TESTS_ALLOWED_FOLDERS=os.pathsep.join(dict.fromkeys(folders)),
        PYTHONPATH=os.pathsep.join(filter(None, (str(GUARD), before.get("PYTHONPATH", "")))),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_AUTHOR_NAME="Test",
        GIT_AUTHOR_EMAIL="test@example.com",
        GIT_COMMITTER_NAME="Test",
        GIT_COMMITTER_EMAIL="test@example.com",
    )
    # A test run ignores Ctrl-C if a script started it in the background, and SIGHUP if nohup did. Its child processes,
    # which tests interrupt, would inherit that.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    return before


def _load_guard() -> None:
    spec = importlib.util.spec_from_file_location("tests_guard", GUARD / "sitecustomize.py")
    if spec is None or spec.loader is None:
        raise AssertionError(GUARD)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


STARTED_WITH = _close_environment()
_load_guard()

# The duration of an example depends on the machine more than on the code, so there is no deadline. Every run draws the
# same examples, and `make pytest ARGS="--hypothesis-profile=search ..."` draws others.
for _profile, _always_same in (("search", False), ("sfcode", True)):
    hypothesis.settings.register_profile(
        _profile,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        print_blob=True,
        derandomize=_always_same,
    )
hypothesis.settings.load_profile("sfcode")


REAL = {
    "org": ("SFCODE_TEST_ORG", "no org is named: set SFCODE_TEST_ORG (see docs/unverified.md)"),
    "github": ("SFCODE_TEST_GITHUB", "no pull request is named: set SFCODE_TEST_GITHUB to owner/name#number"),
}
"""Markers of tests that need a real resource: the variable that names the resource, and the message if it is not
set."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose real resource is not configured."""
    missing = {marker: reason for marker, (name, reason) in REAL.items() if not STARTED_WITH.get(name)}
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
    if "PYTEST_XDIST_WORKER" in os.environ:
        schedule.order(items)


def pytest_collection_finish() -> None:
    """Exclude imported and collected objects from garbage collection, which then takes a twentieth of the time less."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> schedule.LongFirst:
    """Schedule long tests first, and short ones by file."""
    return schedule.LongFirst(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have measured, also in other processes of the test run."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figures" and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid}\n  {value}")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter of bytes by its length, since IDs must not change and an archive contains its time of creation."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the repository."""
    return ROOT


@pytest.fixture(autouse=True)
def _clean_process() -> Iterator[None]:
    """Restore the state of the process that a test changes."""
    with process_state_restored():
        yield


@pytest.fixture(autouse=True)
def _allow_real_resources(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow network, home folder and environment for tests that are marked as needing a real resource."""
    if any(request.node.get_closest_marker(marker) for marker in REAL):
        _open(monkeypatch)


@contextlib.contextmanager
def real_resources() -> Iterator[None]:
    """Allow network, home folder and environment for fixtures that are shared by tests with a real resource."""
    with pytest.MonkeyPatch.context() as patch:
        _open(patch)
        yield


def _open(patch: pytest.MonkeyPatch) -> None:
    patch.delenv(AUTHORITIES)
    for name, value in STARTED_WITH.items():
        patch.setenv(name, value)
    patch.setenv("TESTS_OPEN_NETWORK", "1")


@pytest.fixture
def org_name() -> str:
    """Return the name of the real org in SFCODE_TEST_ORG, in the form of `--org`."""
    return STARTED_WITH["SFCODE_TEST_ORG"]
