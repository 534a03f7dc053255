"""`sfcode review` on the command line: formats and exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import programs
from tests.review.projects import FILES, Repository, edited, write

QUIET = edited(FILES, ("contact", "    plan: Plan__c\n", ""))
WARNED = edited(FILES, ("contact", "role: Title", "mail: Email"))
BROKEN = edited(FILES, ("contact", "object: Contact", "object: 1"))
LEAKING = {**FILES, "config/note.yaml": "a: AKIA" + "IOSFODNN7EXAMPLE\n"}


def sfcode(*words: str) -> subprocess.CompletedProcess[str]:
    return programs.run(*words)


def test_an_empty_review_says_no_changes(repository: Repository) -> None:
    process = sfcode("review", "--base", "HEAD", "--detailed-exitcode")
    assert (process.returncode, process.stdout, process.stderr) == (0, "No changes\n", "")


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        (QUIET, (), 0),
        (QUIET, ("--detailed-exitcode",), 2),
        (WARNED, ("--detailed-exitcode",), 2),
        (WARNED, ("--fail-on", "warning", "--detailed-exitcode"), 1),
        (WARNED, ("--fail-on", "high"), 1),
        (QUIET, ("--fail-on", "high"), 0),
        (QUIET, ("--fail-on", "warning"), 0),
        (BROKEN, ("--fail-on", "never"), 1),
        (LEAKING, (), 1),
        (LEAKING, ("--fail-on", "never"), 0),
    ],
)
def test_the_exit_code_follows_the_options(
    repository: Repository, files: dict[str, str], options: tuple[str, ...], code: int
) -> None:
    write(repository.root, files)
    assert sfcode("review", "--base", "HEAD", *options).returncode == code


def test_json_is_the_document_alone_or_in_the_envelope(repository: Repository) -> None:
    write(repository.root, WARNED)
    alone = json.loads(sfcode("review", "--base", "HEAD", "--format", "json").stdout)
    envelope = json.loads(sfcode("--json", "review", "--base", "HEAD", "--detailed-exitcode").stdout)
    assert envelope["result"] == alone
    assert envelope["status"] == 2
    assert envelope["warnings"][0].startswith("config/mappings/contact.yaml:5:5: ")


@pytest.mark.parametrize(
    ("format_", "start"),
    [
        ("markdown", "### High risk"),
        ("sarif", '{\n  "$schema"'),
        ("github", "::warning file=config/mappings/contact.yaml,line=5,"),
    ],
)
def test_every_format_is_written_to_standard_output(repository: Repository, format_: str, start: str) -> None:
    write(repository.root, WARNED)
    assert sfcode("review", "--base", "HEAD", "--format", format_).stdout.startswith(start)


def test_a_config_that_does_not_load_is_annotated_too(repository: Repository) -> None:
    write(repository.root, BROKEN)
    process = sfcode("review", "--base", "HEAD", "--format", "github")
    assert process.stdout.startswith(
        "::error file=config/mappings/contact.yaml,line=1,col=9,title=SF001 config-does-not-load::"
    )


def test_missing_history_is_a_usage_error_with_a_hint(repository: Repository) -> None:
    process = sfcode("review", "--base", "nope")
    assert process.returncode == 1
    assert process.stderr == (
        "Error: There is no commit nope in this repository.\n"
        "Check the name with `git log`, or fetch the branch: `git fetch origin`.\n"
    )


def test_a_folder_without_git_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    process = sfcode("review", "--base", "main")
    assert process.returncode == 1
    assert process.stderr.startswith("Error: config is not in a git repository.\n")
