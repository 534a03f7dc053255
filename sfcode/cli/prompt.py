"""Ask somebody at the terminal."""

from __future__ import annotations

import sys

import click

from sfcode.cli.invocation import Invocation
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
    click.echo(f"\n{question}")
    click.echo("Enter a value: ", nl=False)
    try:
        return input().strip() == answer
    except EOFError:
        click.echo()
        return False
    except KeyboardInterrupt:
        click.echo()
        raise
