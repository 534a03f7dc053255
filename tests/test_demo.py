"""The targets of `make` for a new clone of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import demo


def test_the_demo_plans_applies_and_finds_no_changes(root: Path, tmp_path: Path) -> None:
    before = set(root.rglob(".sfcode"))
    run = subprocess.run(
        [sys.executable, "scripts/demo.py"],
        cwd=root,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Apply complete!" in run.stdout
    assert "No changes." in run.stdout.partition("--detailed-exitcode")[2]
    lines = run.stdout.partition("answer in Appcues")[2].splitlines()
    assert len([line for line in lines if " NPS " in line]) > 1, "the report has a line for each account"
    assert list(tmp_path.iterdir()) == [], "the demo cleans up after itself"
    assert set(root.rglob(".sfcode")) == before


@pytest.mark.parametrize(("codes", "outcome"), [([0, 0, 0], 0), ([0, 0, 2], 1), ([1], 1), ([0, 1], 1)])
def test_the_demo_fails_when_a_step_fails_or_the_second_plan_finds_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: list[int], outcome: int
) -> None:
    remaining_codes = iter(codes)
    monkeypatch.setattr(demo, "sfcode", lambda *_: next(remaining_codes))
    assert demo.demo(tmp_path) == outcome
    assert next(remaining_codes, None) is None, "every step was taken"


def test_make_test_org_says_that_no_org_is_named(root: Path) -> None:
    # With -o, make does not update the environment, so that the test installs nothing.
    command = ["make", "--no-print-directory", "-o", ".venv/.ready", "test-org"]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "SFCODE_TEST_ORG is not set" in run.stderr
    assert "SFCODE_TEST_ORG" in run.stderr
    assert run.stdout == ""


def test_make_help_names_every_target(root: Path) -> None:
    run = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    offered = {line.split()[1] for line in run.stdout.splitlines()}
    assert {"demo", "demo-relay", "test", "lint", "bench", "test-org", "record", "docs", "clean", "help"} <= offered
