"""Ask somebody at the terminal."""

from __future__ import annotations

import sys

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo
from sfcode.errors import UsageError


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
    echo("Enter a value: ", nl=False)
    try:
        return input().strip() == answer
    except EOFError:
        echo()
        return False
    except KeyboardInterrupt:
        echo()
        raise
