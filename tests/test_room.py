"""The isolation of tests: only loopback, a separate home folder, and no org in the environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import has_room

# An address from the range for documentation, at which no host exists.
ELSEWHERE = "192.0.2.1"


def test_a_connection_beyond_loopback_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match="loopback"):
        sock.connect((ELSEWHERE, 443))


def test_a_name_that_only_looks_like_loopback_is_refused() -> None:
    with pytest.raises(RuntimeError, match="loopback"):
        socket.getaddrinfo("127.0.0.1.example.com", 443)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(RuntimeError, match="loopback"):
        socket.getaddrinfo("login.salesforce.com", 443)


def test_a_datagram_beyond_loopback_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(RuntimeError, match="loopback"):
        sock.sendto(b"", (ELSEWHERE, 53))


def test_a_server_on_all_interfaces_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match="loopback"):
        sock.bind(("0.0.0.0", 0))


def test_the_rules_apply_to_threads() -> None:
    refused: list[str] = []

    def call() -> None:
        try:
            socket.create_connection((ELSEWHERE, 443), timeout=1)
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert refused


def test_the_rules_apply_to_child_processes() -> None:
    code = f"import socket; socket.create_connection(({ELSEWHERE!r}, 443), timeout=1)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert "tests may use the loopback network only" in child.stderr


def test_loopback_works() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1])) as client,
    ):
        assert client.getpeername()[0] == "127.0.0.1"


def test_the_home_folder_is_a_new_empty_one() -> None:
    home = Path.home()
    assert str(home) != os.environ["TESTS_REAL_HOME"]
    assert Path("~").expanduser() == home
    assert not (home / ".sf").exists()


def test_a_file_in_the_real_home_folder_is_refused() -> None:
    with pytest.raises(RuntimeError, match="home folder"):
        (Path(os.environ["TESTS_REAL_HOME"]) / ".sfdx" / "key.json").read_text()


def test_the_environment_names_no_org_and_holds_no_secret() -> None:
    foreign = ("SF_", "SFDX_", "SFCODE_", "APPCUES_", "GITHUB_")
    assert [name for name in os.environ if name.startswith(foreign)] == []


PROBE = """
import os, pathlib, socket, pytest

@pytest.mark.org
def test_probe(org_name):
    assert org_name == "alias:probe"
    assert os.environ["SF_ACCESS_TOKEN"] == "a token"
    assert pathlib.Path.home() == pathlib.Path(__file__).parent
    with socket.socket() as sock:
        sock.bind(("0.0.0.0", 0))
"""


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [({}, "1 skipped"), ({"SFCODE_TEST_ORG": "alias:probe", "SF_ACCESS_TOKEN": "a token"}, "1 passed")],
)
def test_only_a_test_for_a_named_org_may_use_the_network(
    root: Path, tmp_path: Path, environment: dict[str, str], outcome: str
) -> None:
    (tmp_path / "test_probe.py").write_text(PROBE)
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "-m", "org", str(tmp_path)],
        cwd=root,
        env={**os.environ, "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("gibibytes", "flags", "expected"),
    [
        pytest.param(2, 0, True, id="room"),
        pytest.param(1.9, 0, False, id="too little room, as in a container"),
        pytest.param(2, os.ST_NOEXEC, False, id="no program can be started"),
        pytest.param(2, os.ST_NOSUID | os.ST_NODEV, True, id="other limits"),
    ],
)
def test_files_are_in_memory_if_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gibibytes: float, flags: int, *, expected: bool
) -> None:
    status = SimpleNamespace(f_bavail=int(gibibytes * 2**18), f_frsize=4096, f_flag=flags)
    monkeypatch.setattr(os, "statvfs", lambda _: status)
    assert has_room(tmp_path) is expected
    assert not has_room(tmp_path / "missing")
