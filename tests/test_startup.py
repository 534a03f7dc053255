"""What a command must not load: start-up is felt on every call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "requests",
    "rich",
    "zeep",
    "simple_salesforce",
    "sqlalchemy",
    "git",
    "starlette",
    "uvicorn",
    "lark",
    "cryptography",
}
IMPORT_TIME_LINE = re.compile(r"^import time:[^|]*\|[^|]*\|\s*(\S+)$", re.MULTILINE)


def imported_by(root: Path, *arguments: str) -> set[str]:
    """Run one command and return the top packages that it loaded."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sfcode.cli.main", *arguments],
        cwd=root,
        env={**os.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "not-a-real-secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    return {name.partition(".")[0] for name in IMPORT_TIME_LINE.findall(run.stderr)}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["plan", "--help"], ["apply", "--help"], ["--env", "local", "validate"]],
    ids=" ".join,
)
def test_starts_without_what_only_an_org_needs(root: Path, arguments: list[str]) -> None:
    packages = imported_by(root, *arguments)
    assert "sfcode" in packages
    assert sorted(packages & HEAVY) == []


def test_help_does_not_even_load_what_reads_the_config(root: Path) -> None:
    assert sorted(imported_by(root, "--help") & {"pydantic", "yaml", "jinja2", "lxml"}) == []
