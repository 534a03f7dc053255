"""`sfcode completion`: shell completion."""

from __future__ import annotations

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def completion(invocation: Invocation, shell: str) -> None:
    """
    Print the script that completes sfcode's verbs and options in a shell.

    In ~/.bashrc or ~/.zshrc: eval "$(sfcode completion bash)", or zsh.

    In ~/.config/fish/config.fish: sfcode completion fish | source
    """
    from click.shell_completion import ShellComplete, get_completion_class

    from sfcode.cli.main import cli

    completer = get_completion_class(shell)
    assert completer is not None  # noqa: S101  (SHELLS names those that click has)
    # The method of the base class, since that of BashComplete runs bash to check its version.
    script = ShellComplete.source(completer(cli, {}, "sfcode", "_SFCODE_COMPLETE"))
    if invocation.json:
        print_envelope({"shell": shell, "script": script})
    else:
        echo(script)
