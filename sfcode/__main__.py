"""Start of the command line: `sfcode`, and `python -m sfcode`."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
HELP_WIDTH = 80
"""The width in columns of the saved help in `help.txt`; wider terminals show the same layout."""


def start() -> None:
    """Import and run the command line. A signal during the import ends the process with the usual message."""
    codes: list[int] = []
    _open_closed_streams()
    # Handlers that were registered before this one would run after it. There are none unless another program calls this.
    if not getattr(atexit, "_ncallbacks", lambda: 1)():
        atexit.register(_end, codes)
    # Skips the garbage collection at the end of the process, an eighth of the time of a plan: the system frees the memory.
    atexit.register(gc.freeze)
    if sys.argv[1:] in (["--help"], ["-h"]) and _has_room() and _print_help():
        return
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # keeps the setting of nohup
            signal.signal(number, interrupt)
    try:
        gc.disable()
        try:
            from sfcode.cli.main import main

            gc.freeze()  # what is imported stays
        finally:
            gc.enable()
        main()
    except SystemExit as error:
        codes += [error.code] if isinstance(error.code, int) else []
        raise
    except KeyboardInterrupt:
        # Before the command has begun or after it has ended; the command handles signals in between.
        sys.stderr.write("Error: Interrupted; nothing was changed.\n")
        # The values of ExitCode, which may not have been imported yet.
        sys.exit(130 if received[:1] in ([], [signal.SIGINT]) else 143)


def _end(codes: list[int]) -> None:
    """End the process after all other exit handlers, without Python's own cleanup, since the system frees the memory."""
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (OSError, ValueError):
        if not any(codes):
            return  # Python reports a full disk or a closed pipe
    if codes:
        os._exit(codes[-1])


def _open_closed_streams() -> None:
    """Open the null device for each standard stream that the parent process closed, so that no other file gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  (pathlib is slow to import)


def _has_room() -> bool:
    """Return whether the terminal is as wide as the saved help; for a narrower one the command line wraps the help."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns) >= HELP_WIDTH
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns >= HELP_WIDTH
    except (AttributeError, OSError, ValueError):
        return True  # no terminal


def _print_help() -> bool:
    """Print the help that `make docs` saved, without importing the library that formats help, which is slow."""
    with open(os.path.join(os.path.dirname(__file__), "cli", "help.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123  (pathlib is slow to import)
        text = file.read()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        return False  # the command line reports a full disk or a closed pipe
    return True


if __name__ == "__main__":
    start()
