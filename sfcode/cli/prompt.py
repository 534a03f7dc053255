"""Ask a question at the terminal."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo
from sfcode.errors import UsageError

SIGNAL_SECONDS = 0.2
"""The longest time until a signal is handled, in seconds."""


def ask(invocation: Invocation, question: str, *, answer: str = "yes", hint: str) -> bool:
    """
    Ask a question; return whether exactly the expected answer was typed.

    Raises:
        UsageError: There is no terminal, or the output is JSON; the hint explains the alternative.
        KeyboardInterrupt: Ctrl-C instead of an answer.

    """
    if invocation.json or not sys.stdin.isatty():
        raise UsageError("Not a terminal: cannot ask for approval.", hint)
    echo(f"\n{question}")
    try:
        echo("Enter a value: ", nl=False)
        _wait_for_input()
        return input().strip() == answer
    except EOFError:
        echo()
        return False
    except KeyboardInterrupt:
        echo()
        raise


def _wait_for_input() -> None:
    """Wait for input, since `input` would miss a signal that arrives directly before it reads."""
    if os.name != "posix":
        return
    with suppress(TypeError, ValueError):  # a replaced stdin may have no file descriptor
        while not select.select([sys.stdin], [], [], SIGNAL_SECONDS)[0]:
            pass
