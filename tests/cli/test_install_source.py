"""The source from which workflows and hints install sfcode; the bare name `sfcode` is never used."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

from sfcode import install_source
from sfcode.install_source import SourceUnknown, find_install_source, install_command

pytestmark = pytest.mark.xdist_group("wheel")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHA256 = "a" * 64
REMOTE = "https://git.example/owner/sfcode.git"
BARE = re.compile(
    r"""(?x) ^ \s* sfcode (\[[\w,]+\])? \s* ((==|[<>~!]=|[<>]) .*)? $          # a line of a requirements file
    | \b(pip3?|pipx|uv) \s+ [^`\n]*? \b install \s [^`\n]*? (?<![\w/.@-]) sfcode (\[[\w,]+\])? (?!\s*@\s) (?![\w/.[-])""",
)


class Installed:
    """The metadata that `importlib.metadata` has of an installed copy."""

    def __init__(self, record: dict[str, Any] | None) -> None:
        self.record = record
        self.requires = ["click>=8", "sqlalchemy>=2; extra == 'relay'", "mypy; extra == 'dev'"]

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.record is None else json.dumps(self.record)

    def locate_file(self, name: str) -> Path:
        return install_source.PACKAGE.parent / name


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch):
    def set_record(record: dict[str, Any] | None) -> None:
        monkeypatch.setattr(install_source, "distribution", lambda _name: Installed(record))

    return set_record


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def environment(folder: Path, *, dependencies: bool = False) -> Path:
    """Create an environment without sfcode; on request with the packages that sfcode depends on and is built with."""
    venv.create(folder, with_pip=False)
    if dependencies:
        add_dependencies(folder)
    return folder


def add_dependencies(folder: Path) -> None:
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


def pip_install(target: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--python", str(target / "bin" / "python"), "install"]
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-cache-dir"]
    return subprocess.run(
        [*command, *options, *words], env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )


def run_sfcode(target: Path, *words: str) -> str:
    command = [str(target / "bin" / "sfcode"), *words]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def direct_url(target: Path) -> dict[str, Any]:
    (path,) = target.rglob("sfcode-*.dist-info/direct_url.json")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def test_pip_installs_what_init_wrote_when_a_wheel_was_installed(wheel: Path, tmp_path: Path) -> None:
    first = environment(tmp_path / "first")
    assert pip_install(first, str(wheel)).returncode == 0
    add_dependencies(first)
    project = tmp_path / "project"
    answer = json.loads(run_sfcode(first, "--json", "init", str(project)))
    action = project / ".github/actions/sfcode"
    assert str(action / wheel.name) in answer["result"]["written"]
    assert answer["warnings"] == []

    second = environment(tmp_path / "second")
    requirements = str(action / "requirements.txt")
    process = pip_install(second, "--requirement", requirements, GITHUB_ACTION_PATH=str(action))
    assert process.returncode == 0, process.stderr
    assert direct_url(second)["archive_info"]["hash"] == f"sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    add_dependencies(second)
    assert run_sfcode(second, "--version") == run_sfcode(first, "--version")

    (action / wheel.name).write_bytes(wheel.read_bytes() + b"changed")
    third = environment(tmp_path / "third")
    refused = pip_install(third, "--requirement", requirements, GITHUB_ACTION_PATH=str(action))
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr


def test_pip_installs_what_init_wrote_when_a_commit_was_installed(root: Path, tmp_path: Path) -> None:
    clone, remote = tmp_path / "clone", tmp_path / "remote.git"
    for name in ("sfcode", "templates"):
        shutil.copytree(root / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, clone)
    commit = commit_all(clone)
    git(clone, "clone", "--quiet", "--bare", ".", str(remote))
    insteadof = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{remote.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": REMOTE,
    }
    first = environment(tmp_path / "first", dependencies=True)
    process = pip_install(first, f"sfcode @ git+{REMOTE}@main", **insteadof)
    assert process.returncode == 0, process.stderr
    project = tmp_path / "project"
    run_sfcode(first, "init", str(project))
    requirements = project / ".github/actions/sfcode/requirements.txt"
    assert f"\nsfcode @ git+{REMOTE}@{commit}\n" in requirements.read_text(encoding="utf-8")

    second = environment(tmp_path / "second", dependencies=True)
    process = pip_install(second, "--requirement", str(requirements), **insteadof)
    assert process.returncode == 0, process.stderr
    assert direct_url(second)["vcs_info"]["commit_id"] == commit
    assert run_sfcode(second, "--version") == run_sfcode(first, "--version")


def test_an_unknown_source_is_an_error_that_describes_what_to_write(recorded, journey_init, tmp_path: Path) -> None:
    recorded(None)
    answer = journey_init(tmp_path)
    name = ".github/actions/sfcode/requirements.txt"
    (warning,) = answer["warnings"]
    assert warning.startswith(f"{name} has to be edited before the workflows run: the installer recorded no source")
    process = pip_install(environment(tmp_path / "venv"), "--requirement", str(tmp_path / name))
    assert process.returncode == 1
    assert f"Replace this line in {name} by a source of sfcode" in process.stderr
    assert "sfcode @ git+https://HOST/OWNER/sfcode@COMMIT" in process.stderr


@pytest.fixture
def journey_init(capsys: pytest.CaptureFixture[str]):
    from sfcode.cli.main import main

    def init(folder: Path) -> dict[str, Any]:
        with pytest.raises(SystemExit):
            main(["--json", "init", str(folder)])
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return init


@pytest.mark.parametrize(
    ("record", "url"),
    [
        (
            {"url": REMOTE, "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": COMMIT}},
            f"git+{REMOTE}@{COMMIT}",
        ),
        (
            {"url": "https://user:token@git.example/s.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"git+https://git.example/s.git@{COMMIT}",
        ),
        (
            {
                "url": "ssh://git@git.example/s.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
                "subdirectory": "a",
            },
            f"git+ssh://git@git.example/s.git@{COMMIT}#subdirectory=a",
        ),
        (
            {"url": "ssh://git@github.com/o/s.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"git+https://github.com/o/s.git@{COMMIT}",
        ),
        (
            {"url": "https://user:token@host.example/s.whl", "archive_info": {"hashes": {"sha256": SHA256}}},
            f"https://host.example/s.whl#sha256={SHA256}",
        ),
        (
            {"url": "https://host.example:8443/s.whl?v=1", "archive_info": {"hash": f"sha256={SHA256}"}},
            f"https://host.example:8443/s.whl?v=1#sha256={SHA256}",
        ),
    ],
)
def test_a_recorded_source_is_pinned_and_has_no_credentials(recorded, record: dict[str, Any], url: str) -> None:
    recorded(record)
    assert find_install_source().url == url
    assert install_command("relay") == f"pip install 'sfcode[relay] @ {url}'"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "the installer recorded no source"),
        ({"url": REMOTE, "vcs_info": {"vcs": "git", "commit_id": "main"}}, "was not recorded with a git commit"),
        ({"url": REMOTE, "vcs_info": {"vcs": "hg", "commit_id": COMMIT}}, "was not recorded with a git commit"),
        (
            {"url": "file:///elsewhere/s.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            "is not reached by https or ssh",
        ),
        (
            {"url": "http://user:token@git.example/s.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            "http://git.example/s.git is not reached by https or ssh",
        ),
        (
            {"url": "https://git.example/s.git click", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            "is not reached by https or ssh",
        ),
        ({"url": "https://host.example/s.whl", "archive_info": {}}, "was recorded without a SHA-256 hash"),
        ({"url": "https://host.example/s.whl", "archive_info": {"hash": "md5=00"}}, "without a SHA-256 hash"),
        (
            {"url": "http://host.example/s.whl", "archive_info": {"hash": f"sha256={SHA256}"}},
            "is not reached by https",
        ),
        (
            {"url": "file:///elsewhere/s.whl", "archive_info": {"hash": f"sha256={SHA256}"}},
            "or does not exist any more",
        ),
        ({"url": "file:///elsewhere", "dir_info": {}}, "/elsewhere, from which it was installed, has changed since"),
    ],
)
def test_an_unpinned_or_private_source_is_not_used(recorded, record: dict[str, Any] | None, reason: str) -> None:
    recorded(record)
    with pytest.raises(SourceUnknown, match=re.escape(reason)):
        find_install_source()


def test_messages_name_the_packages_of_an_extra_where_the_source_is_unknown(recorded) -> None:
    recorded(None)
    assert install_command("relay") == "pip install 'sqlalchemy>=2'"


@pytest.mark.parametrize("editable", [True, False])
def test_a_folder_is_pinned_to_its_commit_if_that_is_pushed(
    recorded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, editable: bool
) -> None:
    clone = tmp_path / "a clone"
    (clone / "sfcode").mkdir(parents=True)
    module = clone / "sfcode" / "__init__.py"
    module.write_text("", encoding="utf-8")
    installed = clone / "sfcode"
    if not editable:
        installed = Path(shutil.copytree(clone / "sfcode", tmp_path / "site-packages" / "sfcode"))
    monkeypatch.setattr(install_source, "PACKAGE", installed)
    recorded({"url": clone.as_uri(), "dir_info": {"editable": True} if editable else {}})

    def reason() -> str:
        with pytest.raises(SourceUnknown) as unknown:
            find_install_source()
        return str(unknown.value)

    words = "--editable " if editable else ""
    assert install_command("relay") == f"pip install {words}'{clone}[relay]'"
    assert "is not in a git repository" in reason()
    commit = commit_all(clone)
    assert "is not pushed to a remote" in reason()
    git(clone, "remote", "add", "origin", "git@github.com:owner/sfcode.git")
    assert "is not pushed to a remote" in reason()
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert find_install_source().url == f"git+https://github.com/owner/sfcode.git@{commit}"
    (clone / "sfcode" / "new.py").write_text("", encoding="utf-8")
    assert "has changes that are not committed" in reason()
    (clone / "sfcode" / "new.py").unlink()
    module.write_text("changed = True", encoding="utf-8")
    assert ("not committed" if editable else "has changed since") in reason()
    commit_all(clone)
    assert ("is not pushed" if editable else "has changed since") in reason()


def test_no_text_names_the_bare_requirement(root: Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    lines = [
        f"{name}: {line.strip()}"
        for name in filter(None, listing.split("\0"))
        if (root / name).is_file() and (root / name) != Path(__file__) and (root / name).suffix != ".gz"
        for line in (root / name).read_text(encoding="utf-8", errors="ignore").splitlines()
        if BARE.search(line)
    ]
    assert lines == []


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("sfcode==0.1.0", True),
        ("sfcode", True),
        ("sfcode[relay]>=1", True),
        ("run: python -m pip install sfcode==0.1.0", True),
        ("pip install 'sfcode[relay]' installs it", True),
        ("`pipx install sfcode`", True),
        ("uv tool install sfcode", True),
        ("sfcode @ git+https://HOST/OWNER/sfcode@COMMIT", False),
        ("pip install 'sfcode[relay] @ git+https://HOST/OWNER/sfcode@COMMIT'", False),
        ("pip install ./sfcode", False),
        ("pip install './sfcode[relay]'", False),
        ("~/sfcode-env/bin/pip install PATH/TO/sfcode", False),
        ("`pip install ./sfcode`, then `sfcode plan`", False),
    ],
)
def test_a_bare_requirement_would_be_found(line: str, bare: bool) -> None:
    assert bool(BARE.search(line)) is bare


def git(folder: Path, *words: str) -> str:
    process = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return process.stdout.strip()


def commit_all(folder: Path) -> str:
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "A change")
    return git(folder, "rev-parse", "HEAD")
