"""Shell completion of verbs and options, which never prints an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sfcode.cli.completion import SHELLS
from sfcode.cli.main import VERBS, main
from tests.programs import search_path


def complete(tmp_path: Path, words: str, shell: str = "bash") -> list[str]:
    """Ask for completions as the script of a shell does, and return the lines that it reads."""
    *before, current_word = words.split(" ")
    process = subprocess.run(
        [sys.executable, "-m", "sfcode"],
        cwd=tmp_path,
        env={
            **os.environ,
            "_SFCODE_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": current_word if shell == "fish" else str(len(before)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.splitlines()


def names(lines: list[str]) -> list[str]:
    """Return the names of completions, each on a line `type,name` for bash."""
    return [line.partition(",")[2] for line in lines if line]


def test_tab_names_every_verb(tmp_path):
    assert names(complete(tmp_path, "sfcode ")) == list(VERBS)


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ("sfcode pl", ["plan"]),
        ("sfcode --env sandbox pl", ["plan"]),
        ("sfcode relay re", ["replay", "resume", "reconcile", "refresh"]),
        ("sfcode state ", ["adopt", "forget", "list", "show"]),
        ("sfcode plan --max", ["--max-destroy", "--max-change"]),
        ("sfcode plan --format ht", ["html"]),
        ("sfcode --conf", ["--config"]),
        ("sfcode nonsense", []),
    ],
)
def test_tab_completes_a_partial_word(tmp_path, words, answers):
    assert names(complete(tmp_path, words))[: len(answers) + 1] == answers


@pytest.mark.parametrize(
    ("shell", "words", "lines"),
    [
        ("zsh", "sfcode --env sandbox pl", ["plain", "plan", VERBS["plan"]]),
        ("zsh", "sfcode plan --format ht", ["plain", "html", "_"]),
        ("fish", "sfcode --env sandbox pl", [f"plain,plan\t{VERBS['plan']}"]),
        ("fish", "sfcode plan --format ht", ["plain,html"]),
    ],
)
def test_zsh_and_fish_also_read_descriptions(tmp_path, shell, words, lines):
    assert complete(tmp_path, words, shell) == lines


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_asks_sfcode(capsys, shell):
    with pytest.raises(SystemExit) as end:
        main(["completion", shell])
    assert end.value.code == 0
    assert f"_SFCODE_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_bash_completes_by_the_script(tmp_path):
    script = """
        eval "$(sfcode completion bash)"
        complete -p sfcode
        COMP_WORDS=(sfcode plan --format ht) COMP_CWORD=3
        _sfcode_completion sfcode
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = {**os.environ, "PATH": search_path()}
    process = subprocess.run(
        ["bash", "--norc", "-eu", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    registered, *answers = process.stdout.splitlines()
    assert registered.endswith("_sfcode_completion sfcode")
    assert answers == ["html"]
