"""The wheel as a user installs it, without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a release does, without downloads of packages."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into an environment with the dependencies and without the source tree."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    scheme = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(scheme)
    # Copies all packages except the editable install of sfcode and `.pth` files, which refer to the source tree.
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        target = Path(scheme) / entry.name
        if "sfcode" not in entry.name and entry.suffix != ".pth" and not target.exists():
            target.symlink_to(entry)
    return folder / "bin" / "python"


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed `sfcode` in `folder` through its entry point."""
    code = "import sys; from sfcode.cli.main import main; sys.exit(main())"
    environment = {**os.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "not-a-real-secret", "SFCODE_ENV": "local"}
    return subprocess.run(
        [str(python), "-c", code, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_carries_the_templates_and_every_data_file(root: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    templates = {f"sfcode/templates/metadata/{path.name}" for path in (root / "templates/metadata").glob("*.j2")}
    package = {
        path.relative_to(root).as_posix()
        for path in (root / "sfcode").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert templates
    assert sorted((templates | package) - names) == []


def test_carries_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        strangers = [name for name in archive.namelist() if not name.startswith(("sfcode/", "sfcode-"))]
    assert strangers == []


def test_names_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert b"sfcode = sfcode.__main__:start" in archive.read(points)


def test_the_wheel_works_without_the_source_tree(root: Path, installed: Path, tmp_path: Path) -> None:
    location = subprocess.run(
        [str(installed), "-c", "import sfcode; print(sfcode.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(root / "sfcode") not in location
    assert str(installed.parent.parent) in location
    started = run(installed, tmp_path, "init", "project")
    assert started.returncode == 0, started.stderr
    project = tmp_path / "project"
    for arguments in (["validate"], ["render", "--out", "package"], ["schema", "mapping"], ["plan"]):
        answer = run(installed, project, *arguments)
        assert answer.returncode == 0, (arguments, answer.stdout, answer.stderr)
    assert list((project / "package").rglob("*.permissionset*"))


def test_the_release_workflow_plans_and_applies_with_what_it_installed(
    root: Path, installed: Path, tmp_path: Path
) -> None:
    workflow = yaml.safe_load((root / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    install, *commands = workflow["jobs"]["test"]["steps"][-1]["run"].splitlines()
    assert " -m pip install " in install
    launcher = tmp_path / "bin" / "sfcode"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec {installed} -m sfcode "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    path = os.pathsep.join((str(launcher.parent), str(installed.parent), os.environ["PATH"]))
    process = subprocess.run(
        ["bash", "-e", "-c", "\n".join(commands)],
        cwd=tmp_path,
        env={**os.environ, "SFCODE_ENV": "local", "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "No changes" in process.stdout
