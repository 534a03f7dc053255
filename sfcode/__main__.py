"""Start of the command line: `sfcode`, and `python -m sfcode`."""

from __future__ import annotations

import signal
import sys
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def start() -> None:
    """Import and run the command line; a signal during the import ends it with the same message as a later one."""
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, interrupt)
    try:
        from sfcode.cli.main import main

        main()
    except KeyboardInterrupt:
        # Before the command has begun, or after it has ended: what happens in between is explained there.
        sys.stderr.write("Error: Interrupted; nothing was changed.\n")
        # The numbers of ExitCode, which may not have been imported.
        sys.exit(130 if received[:1] in ([], [signal.SIGINT]) else 143)


if __name__ == "__main__":
    start()
