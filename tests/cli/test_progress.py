"""Progress: one redrawn line on a terminal, a line every ten seconds elsewhere, nothing with --quiet."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time

import pytest

from sfcode.cli import progress as module
from sfcode.cli.progress import ProgressLine
from tests.waiting import PATIENCE, until

SHOW_CURSOR, ERASE = "\x1b[?25h", "\r\x1b[1A\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FIRST", "REDRAW", "INTERVAL"):
        monkeypatch.setattr(module, name, 0.02)


def render(monkeypatch, stream: io.StringIO, *, quiet: bool = False) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    progress = ProgressLine()
    with progress.show("Reading the org", quiet=quiet):
        for _ in range(3):
            progress.count()
        until(lambda: quiet or "3 responses" in stream.getvalue())
    return stream.getvalue()


def test_a_terminal_has_one_progress_line_that_is_erased_at_the_end(monkeypatch):
    text = render(monkeypatch, Terminal())
    assert re.search(r"Reading the org: 3 responses, \d+ s", text)
    assert text.endswith(SHOW_CURSOR + ERASE)


@pytest.mark.parametrize("ci", [False, True])
def test_without_a_terminal_progress_lines_are_appended(monkeypatch, ci):
    if ci:
        monkeypatch.setenv("CI", "true")
    text = render(monkeypatch, Terminal() if ci else io.StringIO())
    assert text
    assert all(
        re.fullmatch(r"Reading the org: (1 response|[02-9] responses), \d+ s", line) for line in text.splitlines()
    )


def test_quiet_shows_nothing(monkeypatch):
    assert render(monkeypatch, Terminal(), quiet=True) == ""


def test_no_progress_is_drawn_during_a_prompt(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = ProgressLine()
    with progress.show("Reading the org"):
        progress.hide()
        before = stream.getvalue()
        time.sleep(0.1)
        assert (progress.active, stream.getvalue()) == (False, before)
        with progress.show("Applying"):
            assert progress.active
    assert not progress.active


def test_short_work_shows_nothing(monkeypatch):
    monkeypatch.setattr(module, "FIRST", PATIENCE)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with ProgressLine().show("Reading the org"):
        pass
    assert sys.stderr.getvalue() == ""


def test_output_during_progress_has_its_own_line_and_the_progress_line_returns(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = ProgressLine()
    with progress.show("Applying"):
        until(lambda: "Applying" in stream.getvalue())
        with progress.pause():
            assert not progress.active
            before = stream.getvalue()
            time.sleep(0.1)
            assert stream.getvalue() == before
        assert progress.active


def test_no_command_imports_the_progress_display_before_it_is_needed():
    code = (
        "import sys, sfcode.cli.progress as p\nwith p.ProgressLine().show('x'): pass\nsys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_signal_during_the_start_of_the_display_is_no_additional_error(monkeypatch):
    def interrupted(_thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    progress = ProgressLine()
    with pytest.raises(KeyboardInterrupt), progress.show("Reading the org"):
        pass
    progress.hide()
    assert not progress.active
