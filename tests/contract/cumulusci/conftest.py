"""
CumulusCI as it comes from PyPI, against a local org over TLS, which it insists on.

It wants a git repository with a cumulusci.yml, and is given the org in a variable of its environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import LocalOrg, reset, serve
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from sfcode.metadata.package import write
from tests.conftest import STARTED_WITH

VERSION = "62.0"
SECONDS = 120
PROJECT = f"""\
minimum_cumulusci_version: '4.0.0'
project:
  name: contract
  package: {{name: contract, api_version: '{VERSION}'}}
  git: {{default_branch: main}}
"""


@dataclass(frozen=True)
class Cumulus:
    """A project folder, the org that its tasks are run against, and the org's file."""

    program: Path
    folder: Path
    home: Path
    org: LocalOrg
    state: Path

    def run(self, task: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one task against the org."""
        described = {
            "instance_url": self.org.tls_url,
            "access_token": self.org.access_token,
            "username": self.org.username,
            "org_id": self.org.org_id,
            "id": f"{self.org.tls_url}/id/{self.org.org_id}/{self.rows('User', Username=self.org.username)[0]['Id']}",
        }
        environ = {
            "CI": "true",
            "COLUMNS": "500",
            "CUMULUSCI_DISABLE_REFRESH": "1",
            "CUMULUSCI_KEY": "0123456789abcdef",
            "CUMULUSCI_ORG_local": json.dumps(described),
            "HOME": str(self.home),
            "REQUESTS_CA_BUNDLE": str(self.org.certificate),
        }
        return subprocess.run(
            [str(self.program), "task", "run", task, "--org", "local", *arguments],
            cwd=self.folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def package(self, name: str, *components: Component) -> None:
        """Write a package into a folder of the project."""
        for path, data in write(components, VERSION).items():
            file = self.folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def components(self, kind: str) -> dict[str, Any]:
        """Read components from the org's file: bodies by name."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            return {each.component.full_name: each.component.body for each in tx.components(kind)}

    def id_of(self, kind: str, name: str) -> str:
        """Read the id of a component from the org's file."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            found = tx.component(kind, name)
        assert found is not None
        return found.id

    def rows(self, name: str, **wanted: Any) -> list[dict[str, Any]]:
        """Read records from the org's file."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            return [row for row in tx.records(name) if all(row.get(key) == value for key, value in wanted.items())]

    def deploys(self) -> Sequence[dict[str, Any]]:
        """Read the reports of all deploys from the org's file, oldest first."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            return [deploy["report"] for deploy in tx.deploys()]


@pytest.fixture(scope="session")
def cci_program(root: Path) -> Path:
    """Find cci; skip where it is not installed, but never in CI."""
    found = root / ".cache" / "cci" / "bin" / "cci"
    if not found.is_file():
        reason = "there is no CumulusCI: run scripts/install_cci.sh"
        if STARTED_WITH.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found an org once, with a certificate."""
    state = tmp_path_factory.mktemp("company")
    reset(state)
    with serve(state, tls=True):
        pass
    return state


@pytest.fixture
def cci(cci_program: Path, company: Path, tmp_path: Path) -> Iterator[Cumulus]:
    """Give a project, and an org of this test's own."""
    folder, home, state = tmp_path / "project", tmp_path / "home", tmp_path / "state"
    shutil.copytree(company, state)
    folder.mkdir()
    (folder / "cumulusci.yml").write_text(PROJECT, encoding="utf-8")
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("remote", "add", "origin", "https://github.com/example/contract.git"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "Begin"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    # It would ask PyPI for a newer version of itself, once an hour.
    (home / ".cumulusci").mkdir(parents=True)
    (home / ".cumulusci" / "cumulus_timestamp").write_text(str(time.time()), encoding="utf-8")
    with serve(state, tls=True) as org:
        yield Cumulus(cci_program, folder, home, org, state)
