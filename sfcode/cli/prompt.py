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
"""How long a signal goes unnoticed at most."""


def ask(invocation: Invocation, question: str, *, answer: str = "yes", hint: str) -> bool:
    """
    Ask a question, and tell whether exactly the expected answer was typed.

    Raises:
        UsageError: there is no terminal, or the output is JSON; `hint` says how to go on without.
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
    """Wait until something was typed; `input` alone would miss a signal that comes just before it reads."""
    if os.name != "posix":
        return
    with suppress(TypeError, ValueError):  # a replacement of a terminal may have no descriptor
        while not select.select([sys.stdin], [], [], SIGNAL_SECONDS)[0]:
            pass
