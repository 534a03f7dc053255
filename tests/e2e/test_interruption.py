"""Ctrl-C, the end of a CI job, and a closed terminal: the command reports what was changed."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

import pytest

from sfcode.cli.interruption import Interruption
from sfcode.errors import ExitCode
from tests.waiting import PATIENCE

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize(
    "words", [("plan",), ("doctor",), ("plan", "--json"), ("apply", "--auto-approve")], ids=" ".join
)
def test_a_command_interrupted_while_reading_reports_no_changes(journey, number, words):
    journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": "00D!token"}
    with Hung() as org:
        program = journey.spawn("--org", org.url, *words)
        org.wait_for_request()
        program.send_signal(number)
        out, err = program.communicate(timeout=PATIENCE)
    text = out + err
    assert program.returncode == CODES[number], text
    assert "Interrupted; nothing was changed." in text
    assert "bug" not in text
    assert "Traceback" not in text


NOTHING, STAYS = "nothing was changed.", "changes made before are kept."
OTHERS = {
    "destroy --auto-approve": NOTHING,
    "rollback --auto-approve": NOTHING,
    "rollback --list": NOTHING,
    "--config new import": NOTHING,
    "state list": NOTHING,
    "state forget CustomField:Contact.A__c": STAYS,
    "viewers list": NOTHING,
    "force-unlock 0810X000000abcD": NOTHING,
    "relay reconcile --since 1h": STAYS,
    "relay backfill --dry-run": NOTHING,
}
"""Further verbs that send requests to an org, with the message after a signal before the org responds."""


@pytest.mark.parametrize(("words", "expected"), OTHERS.items())
def test_every_verb_with_an_org_ends_at_once_on_ctrl_c(journey, words, expected):
    journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": "00D!token"}
    with Hung() as org:
        program = journey.spawn("--org", org.url, *words.split())
        org.wait_for_request()
        program.send_signal(signal.SIGHUP)
        _, err = program.communicate(timeout=PATIENCE)
    assert program.returncode == CODES[signal.SIGHUP], err
    assert err.splitlines()[-1] == f"Error: Interrupted; {expected}"


class Hung:
    """An org that accepts requests and never responds."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.socket.close()

    def wait_for_request(self) -> None:
        self.socket.settimeout(PATIENCE)
        self.connection, _ = self.socket.accept()
        self.connection.settimeout(PATIENCE)
        self.connection.recv(1)


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        (None, ExitCode.USER, 1),
        (signal.SIGINT, ExitCode.USER, 130),
        (signal.SIGTERM, ExitCode.INTERRUPTED, 143),
        (signal.SIGHUP, ExitCode.INTERRUPTED, 143),
        (signal.SIGTERM, ExitCode.RUNNING, 4),
        (signal.SIGTERM, ExitCode.BUG, 3),
    ],
)
def test_the_exit_code_is_that_of_the_signal(number, code, expected):
    interruption = Interruption()
    interruption.signal = number
    assert interruption.exit_code(code) == expected


def test_signals_that_the_parent_ignores_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interruption().handle_signals():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not before


@pytest.mark.parametrize("number", CODES)
def test_a_signal_that_does_not_end_a_read_of_the_main_thread_ends_the_command(number):
    """Such a signal arrives just before the read begins, or is received by another thread."""
    near_end, far_end = socket.socketpair()
    late = threading.Timer(PATIENCE, far_end.send, [b"ended"])
    other = threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), number))
    late.start()

    def read():
        other.start()
        near_end.recv(100)

    with near_end, far_end, Interruption().handle_signals(), pytest.raises(KeyboardInterrupt):
        read()
    assert late.is_alive(), "The handler ran only when the read had ended."
    late.cancel()
    other.join()


@pytest.mark.parametrize("number", CODES)
def test_a_signal_during_a_finalizer_ends_the_command(number):
    """Python reports an error in a finalizer, but does not raise it."""

    class Finalized:
        def __del__(self):
            os.kill(os.getpid(), number)

    near_end, far_end = socket.socketpair()
    near_end.settimeout(PATIENCE)

    def read():
        Finalized()
        near_end.recv(100)

    with near_end, far_end, Interruption().handle_signals(), pytest.raises(KeyboardInterrupt):
        read()


def test_handlers_and_threads_for_signals_end_with_the_command():
    def read_state():
        return threading.active_count(), signal.getsignal(signal.SIGURG), sys.unraisablehook

    before = read_state()
    with Interruption().handle_signals():
        assert all(later != earlier for later, earlier in zip(read_state(), before, strict=True))
    assert read_state() == before
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("number", CODES)
def test_a_signal_during_the_imports_prints_the_same_message(monkeypatch, capsys, number):
    from sfcode import __main__ as program

    class Interrupted:
        def find_spec(self, name, *_):
            if name == "sfcode.cli.main":
                os.kill(os.getpid(), number)

    monkeypatch.delitem(sys.modules, "sfcode.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as end:
        program.start()
    assert (end.value.code, capsys.readouterr().err) == (CODES[number], "Error: Interrupted; nothing was changed.\n")
