"""The `sfcode` command: global options, the verbs, and the exit code of every error."""

from __future__ import annotations

import builtins
import gc
import os
import sys
from collections.abc import Sequence
from keyword import iskeyword

import click

from sfcode import __version__
from sfcode.cli import output
from sfcode.cli.global_options import global_options
from sfcode.cli.interruption import Interruption
from sfcode.cli.invocation import Invocation
from sfcode.cli.lazy_group import LazyGroup, LazyVerb
from sfcode.errors import ExitCode

VERBS = {
    "init": "Start a new project: config, workflows, editor schema.",
    "import": "Turn an org that was set up by hand into a config.",
    "validate": "Check the whole project without an org.",
    "lint": "Check the config with the linter's rules.",
    "fmt": "Rewrite the config in its canonical form.",
    "render": "Write the package to disk, as mdapi or source.",
    "plan": "Show what apply would change in the org.",
    "show": "Show a saved plan.",
    "open": "Open the page of a plan in the browser.",
    "review": "Explain in plain words what a change of the config does.",
    "apply": "Change the org to match the config.",
    "doctor": "Check an org and its data for problems of the integration.",
    "rollback": "Restore what an apply replaced.",
    "destroy": "Remove the integration from an org.",
    "viewers": "Show and change who can read the fields that Appcues writes.",
    "next-steps": "Print the remaining manual steps.",
    "state": "Show and change what sfcode manages in an org.",
    "explain": "Explain a rule, or show the lines of YAML behind a component.",
    "force-unlock": "Remove the lock of an apply that no longer runs.",
    "github": "Run the steps of the GitHub workflows.",
    "schema": "Print the JSON Schema of the mapping language.",
    "completion": "Print the script for shell completion.",
    "relay": "Run the relay, which carries the data, and manage its inbox.",
    "local": "Run, reset or load the local org.",
}
"""The help line of each verb; a verb's module is loaded only when it is used."""

SERVING = ("relay", "local")
"""
Verbs that may run for days. For all other verbs the garbage collector runs less often, since their process ends soon.
"""

COLLECT_AFTER = 50_000
"""
The number of new objects after which Python's garbage collector runs. With the default of 700, it took a tenth of the
time of `validate`.
"""


def _locate(verb: str) -> tuple[str, str]:
    """Return the module of a verb, and the name of its command there."""
    name = verb.replace("-", "_") + ("_" if iskeyword(verb) or hasattr(builtins, verb) else "")
    return f"sfcode.cli.{name}", name


@click.group(
    cls=LazyGroup,
    verbs={name: LazyVerb(summary, *_locate(name)) for name, summary in VERBS.items()},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Global options are accepted before and after the verb.",
)
@global_options
@click.version_option(__version__, prog_name="sfcode")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Salesforce and Appcues integration as code: plan it, review it, apply it."""
    ctx.obj = ctx.obj or Invocation()
    ctx.obj.result.verb = ctx.invoked_subcommand or ""
    if ctx.invoked_subcommand not in SERVING:
        gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    words = list(sys.argv[1:] if args is None else args)
    invocation = Invocation()
    interruption = Interruption()
    try:
        with interruption.handle_signals():
            answer = cli.main(words, prog_name="sfcode", standalone_mode=False, obj=invocation)
        code = answer if isinstance(answer, int) else ExitCode.OK
    except SystemExit:  # click exits with these codes after shell completion
        raise
    except BaseException as error:  # noqa: BLE001  (every way out passes here and becomes an exit code)
        invocation.result.error = error
        color = not ("--no-color" in words or os.environ.get("NO_COLOR"))
        verb = invocation.result.verb
        json, verbose = "--json" in words, "--verbose" in words
        code = output.print_error(error, json=json, verbose=verbose, color=color, verb=verb)
        code = interruption.exit_code(code)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from sfcode.cli.github_actions import write_step_results

        write_step_results(invocation.result, code, os.environ)
    sys.exit(code)


if __name__ == "__main__":
    main()
