"""
CumulusCI from PyPI, against the local org and the named org, over TLS, which it requires.

CumulusCI needs a git repository with a cumulusci.yml, and reads the org from an environment variable.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfcode.local import reset, serve
from sfcode.metadata.component import Component
from sfcode.metadata.package import write
from tests.conftest import STARTED_WITH
from tests.contract.target_org import CLIENT_VERSION, TargetOrg, local
from tests.waiting import PATIENCE

VERSION = CLIENT_VERSION
PROJECT = f"""\
minimum_cumulusci_version: '4.0.0'
project:
  name: contract
  package: {{name: contract, api_version: '{VERSION}'}}
  git: {{default_branch: main}}
"""


@dataclass(frozen=True)
class Cumulus:
    """A project folder, and the org that tasks of CumulusCI are run against."""

    program: Path
    folder: Path
    home: Path
    org: TargetOrg

    def run(self, task: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one task against the org."""
        described = {
            "instance_url": self.org.tls_url,
            "access_token": self.org.access_token,
            "username": self.org.username,
            "org_id": self.org.org_id,
            "id": f"{self.org.tls_url}/id/{self.org.org_id}/{self.org.user_id}",
        }
        environ = {
            "CI": "true",
            "COLUMNS": "500",
            "CUMULUSCI_DISABLE_REFRESH": "1",
            "CUMULUSCI_KEY": "0123456789abcdef",
            "CUMULUSCI_ORG_local": json.dumps(described),
            "HOME": str(self.home),
            **self.org.environ,
        }
        return subprocess.run(
            [str(self.program), "task", "run", task, "--org", "local", *arguments],
            cwd=self.folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def package(self, name: str, *components: Component) -> None:
        """Write a package into a folder of the project."""
        for path, data in write(components, VERSION).items():
            file = self.folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


@pytest.fixture(scope="session")
def cci_program(root: Path) -> Path:
    """Find the program `cci`; skip the test if it is not installed, except in CI."""
    program = root / ".cache" / "cci" / "bin" / "cci"
    if not program.is_file():
        reason = "there is no CumulusCI: run scripts/install_cci.sh"
        if STARTED_WITH.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an org once, with a certificate."""
    state = tmp_path_factory.mktemp("company")
    reset(state)
    with serve(state, tls=True):
        pass
    return state


@pytest.fixture
def cci_org(target: str, request: pytest.FixtureRequest) -> Iterator[TargetOrg]:
    """Serve a new org; or return the named one, with a unique word for the names of this test's data."""
    if target == "real":
        target_org = request.getfixturevalue("named_org").for_test()
        if target_org.tls_url is None:
            pytest.skip("CumulusCI speaks https only, and SFCODE_TEST_ORG names an http address")
        yield target_org
        return
    state = request.getfixturevalue("tmp_path") / "state"
    shutil.copytree(request.getfixturevalue("company"), state)
    with serve(state, tls=True) as org, local(org) as target_org:
        yield target_org


@pytest.fixture
def cci(cci_program: Path, cci_org: TargetOrg, tmp_path: Path) -> Cumulus:
    """Return a project folder, and an org for its tasks."""
    folder, home = tmp_path / "project", tmp_path / "home"
    folder.mkdir()
    (folder / "cumulusci.yml").write_text(PROJECT, encoding="utf-8")
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("remote", "add", "origin", "https://github.com/example/contract.git"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "Begin"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    # A recent time stamp, so that CumulusCI does not ask PyPI for a newer version.
    (home / ".cumulusci").mkdir(parents=True)
    (home / ".cumulusci" / "cumulus_timestamp").write_text(str(time.time()), encoding="utf-8")
    return Cumulus(cci_program, folder, home, cci_org)
