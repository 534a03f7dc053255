"""Global options, exit codes, and errors as text and as JSON."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sfcode.cli import output
from sfcode.cli.filled import FilledPath, refuse_blank_values
from sfcode.cli.interruption import Interruption
from sfcode.cli.main import VERBS, cli, main
from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError, ExitCode, OrgError, StillRunning


def run(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(list(words))
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_text_of_its_own(capsys, verb):
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    assert f"Usage: sfcode {verb}" in out
    assert len(out.splitlines()) > 4


def test_help_lists_every_verb_without_importing_any(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert [verb for verb in VERBS if f"\n  {verb} " not in out] == []


@pytest.mark.parametrize(
    "words", [["nonsense"], ["plan", "--nonsense"], ["--nonsense"], ["plan", "--format", "pdf"], ["render"]]
)
def test_a_usage_error_exits_with_1(capsys, words):
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "\nTry: sfcode" in err


@pytest.mark.parametrize(
    ("typed", "meant"), [("pln", "plan"), ("improt", "import"), ("Apply", "apply"), ("forceunlock", "force-unlock")]
)
def test_a_mistyped_verb_suggests_the_nearest_one(capsys, typed, meant):
    code, _, err = run(capsys, typed)
    assert code == 1
    assert err == f"Error: No such command '{typed}'. Did you mean {meant}?\nTry: sfcode --help\n"


def test_an_unknown_verb_without_a_near_one_suggests_nothing(capsys):
    assert run(capsys, "nonsense") == (1, "", "Error: No such command 'nonsense'.\nTry: sfcode --help\n")


def commands(command=cli, context=None):
    """Walk all commands as `--help` does."""
    context = context or click.Context(cli, info_name="sfcode")
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            yield from commands(child, click.Context(child, info_name=name, parent=context))


PATHS = [context.command_path.split()[1:] for context in commands()]
"""The words of every command: [], ["plan"], ["relay", "status"], and so on."""


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_fits_a_terminal_of_80_columns(capsys, path):
    code, out, _ = run(capsys, *path, "--help")
    assert code == 0
    assert [line for line in out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    "words",
    [
        ["--env", "", "plan"],
        ["plan", "--org", " "],
        ["--config", "", "validate"],
        ["apply", "--attach", ""],
        ["render", "--out", ""],
        ["viewers", "add", ""],
    ],
    ids=" ".join,
)
def test_a_blank_value_is_refused(capsys, words):
    """A variable of a shell script may be empty: the command would use another org, or apply instead of attaching."""
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")
    assert "it is blank. Pass a value, or leave it out." in err


def test_only_options_with_a_blank_default_accept_a_blank_value():
    accepting = {
        f"{context.command_path} {param.opts[0]}"
        for context in commands()
        for param in context.command.params
        if param.type is click.STRING or type(param.type) is click.Path
    }
    assert accepting == {
        "sfcode init --with",
        "sfcode relay learn --event",
        "sfcode relay learn --user-id",
        "sfcode review --note",
    }


@pytest.fixture
def invoked(monkeypatch):
    """Return the invocations that `validate`, `github drift` and `relay status` receive."""
    calls = []
    for path in (["validate"], ["github", "drift"], ["relay", "status"]):
        command = cli
        for word in path:
            command = command.get_command(click.Context(command), word)
        monkeypatch.setattr(command, "callback", click.pass_obj(lambda obj, **_: calls.append(obj)))
    return calls


GLOBAL = [
    (["--config", "here"], {"config": Path("here")}),
    (["--env", "sandbox"], {"env": "sandbox"}),
    (["--org", "alias:x"], {"org": "alias:x"}),
    (["--json"], {"json": True}),
    (["--no-color"], {"no_color": True}),
    (["--quiet"], {"quiet": True}),
    (["--verbose"], {"verbose": True}),
    (["--env", "sandbox", "--json", "--org=local"], {"env": "sandbox", "json": True, "org": "local"}),
]


@pytest.mark.parametrize(("words", "expected"), GLOBAL, ids=" ".join)
@pytest.mark.parametrize("path", [["validate"], ["github", "drift", "FILE"], ["relay", "status"]], ids=" ".join)
def test_global_options_mean_the_same_in_every_place(capsys, invoked, path, words, expected):
    for place in range(len(path) + 1):
        run(capsys, *path[:place], *words, *path[place:])
    assert [{name: getattr(call, name) for name in expected} for call in invoked] == [expected] * (len(path) + 1)
    defaults = {"config": Path("config"), "env": None, "org": None, "json": False, "quiet": False, "verbose": False}
    defaults = {name: value for name, value in defaults.items() if name not in expected}
    assert all(getattr(call, name) == value for call in invoked for name, value in defaults.items())


def test_options_override_environment_variables_before_and_after_the_verb(capsys, invoked, monkeypatch):
    for name in ("CONFIG", "ENV", "ORG"):
        monkeypatch.setenv(f"SFCODE_{name}", "from-environment")
    words = ["--config", "passed", "--env", "passed", "--org", "passed"]
    run(capsys, *words, "validate")
    run(capsys, "validate", *words)
    run(capsys, "validate")
    assert [(str(call.config), call.env, call.org) for call in invoked] == [
        ("passed",) * 3,
        ("passed",) * 3,
        ("from-environment",) * 3,
    ]


def test_the_last_value_of_a_repeated_option_counts(capsys, invoked):
    run(capsys, "--env", "first", "github", "--env", "second", "drift", "FILE", "--env", "third")
    run(capsys, "--env", "first", "github", "--env", "second", "drift", "FILE")
    assert [call.env for call in invoked] == ["third", "second"]


def test_an_error_is_in_the_envelope_if_json_follows_the_verb(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "validate", "--json")
    assert (code, json.loads(out)["status"], err) == (1, 1, "")


@pytest.mark.parametrize("path", [path for path in PATHS if path[:1] == ["relay"]], ids=" ".join)
def test_the_help_of_the_relay_works_without_its_packages(capsys, monkeypatch, path):
    monkeypatch.setattr("sfcode.cli.relay.find_spec", lambda _name: None)
    assert run(capsys, *path, "--help")[0] == 0


def test_sfcode_runs_as_a_module(tmp_path):
    command = [sys.executable, "-m", "sfcode", "--version"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert process.stdout.startswith("sfcode, version ")


def test_an_invalid_address_is_a_usage_error(capsys):
    code, _, err = run(capsys, "plan", "--adopt", "Contact.X")
    assert code == 1
    assert "'Contact.X' is not an address; write Type:FullName" in err


def test_json_errors_are_in_the_envelope_on_standard_output(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "--json", "validate")
    answer = json.loads(out)
    assert (code, answer["status"], answer["exitCode"], answer["name"]) == (1, 1, 1, "ConfigError")
    assert answer["problems"]
    assert err == ""


@pytest.mark.parametrize(
    "words", [("schema", "mapping", "--json"), ("schema", "mapping"), ("validate", "-h"), ("--help",)]
)
def test_output_that_a_full_disk_does_not_take_ends_in_one_error_on_standard_error(tmp_path, words):
    """The rest of the buffered output is dropped, and not reported again at the end of the process."""
    command = [sys.executable, "-m", "sfcode", *words]
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert process.returncode == 1
    assert (
        process.stderr
        == "Error: No space left on device\nCheck the path, its permissions and the free space of the disk.\n"
    )


@pytest.mark.parametrize("words", [("schema", "mapping"), ("--help",)])
def test_output_that_nobody_reads_ends_the_command_quietly(tmp_path, words):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "sfcode", *words]
    process = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (process.returncode, process.stderr) == (1, "")


def test_control_characters_of_an_org_do_not_reach_the_terminal(capsys):
    output.print_error(OrgError("bad \x1b]0;title\x07\x1b[2J\rApplied."), json=False, verbose=False)
    assert capsys.readouterr().err == "Error: bad \\u001b]0;title\\u0007\\u001b[2J\\u000dApplied.\n"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (OrgError("No.", "Do this."), 1, "Error: No.\nDo this.\n"),
        (StillRunning("It goes on."), 4, "Error: It goes on.\n"),
        (KeyboardInterrupt(), 130, "Error: interrupted\n"),
        (click.Abort(), 130, "Error: interrupted\n"),
        (BrokenPipeError(), 1, ""),
        (click.exceptions.Exit(2), 2, ""),
        (click.UsageError("No such thing."), 1, "Error: No such thing.\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "p.plan"),
            1,
            "Error: p.plan: No space left on device\nCheck the path, its permissions and the free space of the disk.\n",
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            1,
            "Error: Too many open files\nRaise the limit of open files, as with `ulimit -n 256`.\n",
        ),
        (
            OSError(errno.EACCES, "Permission denied"),
            1,
            "Error: Permission denied\nCheck the path, its permissions and the free space of the disk.\n",
        ),
        (
            ConfigError(
                [
                    Diagnostic.error(Position("a.yaml", 2, 3), "b.c", "wrong", "right it"),
                    Diagnostic.error(None, "", "also"),
                ]
            ),
            1,
            "Error: 2 problems\nalso\na.yaml:2:3: b.c: wrong; right it\n",
        ),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_text(capsys, error, code, text):
    assert output.print_error(error, json=False, verbose=False) == code
    assert capsys.readouterr().err == text


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("plan", "Interrupted; nothing was changed."),
        ("doctor", "Interrupted; nothing was changed."),
        ("apply", "Interrupted; changes made before are kept."),
        ("", "interrupted"),
    ],
)
def test_an_interrupted_verb_says_whether_something_may_have_changed(verb, message):
    assert output.describe_error(KeyboardInterrupt(), verb=verb) == (message, ExitCode.INTERRUPTED)


@pytest.mark.parametrize("verbose", [False, True])
def test_an_internal_error_is_reported_as_a_bug_with_its_traceback_under_verbose(capsys, verbose):
    with pytest.raises(ZeroDivisionError) as bug:
        _ = 1 / 0
    assert output.print_error(bug.value, json=False, verbose=verbose) == 3
    err = capsys.readouterr().err
    assert "this is a bug in sfcode, not in your config:" in err
    assert ("Traceback" in err) is verbose
    assert ("Run it again with --verbose for a report." in err) is not verbose
    assert ("Please report it with the lines above." in err) is verbose


def test_an_unexpected_error_of_the_system_is_a_bug():
    assert output.describe_error(OSError(errno.EBADF, "Bad file descriptor"))[1] is ExitCode.BUG


@pytest.mark.parametrize(
    ("received", "code", "end"),
    [
        (None, ExitCode.USER, ExitCode.USER),
        (signal.SIGINT, ExitCode.USER, ExitCode.INTERRUPTED),
        (signal.SIGINT, ExitCode.INTERRUPTED, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.USER, ExitCode.TERMINATED),
        (signal.SIGTERM, ExitCode.INTERRUPTED, ExitCode.TERMINATED),
        (signal.SIGTERM, ExitCode.OK, ExitCode.OK),
        (signal.SIGINT, ExitCode.RUNNING, ExitCode.RUNNING),
        (signal.SIGINT, ExitCode.CHANGES, ExitCode.CHANGES),
    ],
)
def test_a_signal_decides_the_exit_code_of_a_command_that_it_ended(received, code, end):
    interruption = Interruption()
    interruption.signal = received
    assert interruption.exit_code(code) == end


def test_a_path_that_must_not_be_blank_keeps_its_other_conditions() -> None:
    command = click.Command("x", params=[click.Argument(["file"], type=click.Path(exists=True, path_type=Path))])
    refuse_blank_values(command)
    (parameter,) = command.params
    assert isinstance(parameter.type, FilledPath)
    assert (parameter.type.exists, parameter.type.type) == (True, Path)
