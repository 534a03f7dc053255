"""The `sfcode` command: global options, the verbs, and the one place where errors end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from sfcode import __version__
from sfcode.cli import output
from sfcode.cli.invocation import Invocation, RunResult
from sfcode.errors import ExitCode

VERBS = {
    "init": "Start a new project: config, workflows, editor schema.",
    "import": "Turn an org that was set up by hand into a config.",
    "validate": "Check everything that can be known without an org.",
    "render": "Write the package to disk, as mdapi or source.",
    "plan": "Show what apply would change in the org.",
    "show": "Show a saved plan.",
    "review": "Say in plain words what a change of the config means.",
    "apply": "Make the org what the config asks for.",
    "doctor": "Say what would stop the integration from working.",
    "rollback": "Put back what an apply replaced.",
    "destroy": "Take the integration down in an org.",
    "force-unlock": "Take away the lock of an apply that died.",
    "github": "Answer what a GitHub workflow asks.",
    "schema": "Print the JSON Schema of the mapping language.",
    "relay": "Carry the data: run the relay, look after its inbox.",
    "local": "Run, reset or load the local org.",
}
"""Verb and help line; a verb's module is loaded only when it is used."""


class Verbs(click.Group):
    """A group that imports a verb's module only when that verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the verbs in the order a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one verb."""
        if cmd_name not in VERBS:
            return None
        module = cmd_name.replace("-", "_") + ("_" if iskeyword(cmd_name) else "")
        command: click.Command = getattr(import_module(f"sfcode.cli.{module}"), module)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; for one that there is not, name the one that was probably meant."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            from sfcode.config.did_you_mean import nearest_name  # slow to import, and few mistype

            meant = nearest_name(args[0], VERBS)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {meant}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config"),
    show_default=True,
    envvar="SFCODE_CONFIG",
    help="Folder with sfcode.yaml and mappings/.",
)
@click.option("--env", metavar="NAME", envvar="SFCODE_ENV", help="Environment of sfcode.yaml to work with.")
@click.option(
    "--org",
    metavar="ORG",
    envvar="SFCODE_ORG",
    help="Org, instead of the environment's: local, alias:NAME, env:PREFIX or an instance URL.",
)
@click.option("--json", is_flag=True, help="Answer with one JSON object: status, result, warnings.")
@click.option("--no-color", is_flag=True, help="Write no colours; NO_COLOR does the same.")
@click.option("--quiet", is_flag=True, help="Write results and errors only.")
@click.option("--verbose", is_flag=True, help="Write the whole traceback of a bug.")
@click.version_option(__version__, prog_name="sfcode")
@click.pass_context
def cli(
    ctx: click.Context,
    config: Path,
    env: str | None,
    org: str | None,
    *,
    json: bool,
    no_color: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Salesforce and Appcues integration as code: plan it, review it, apply it."""
    color = not (no_color or json or os.environ.get("NO_COLOR"))
    result = ctx.obj if isinstance(ctx.obj, RunResult) else RunResult()
    result.verb = ctx.invoked_subcommand or ""
    ctx.obj = Invocation(config, env, org, json=json, color=color, quiet=quiet, verbose=verbose, result=result)
    if not color:
        ctx.color = False


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    words = list(sys.argv[1:] if args is None else args)
    result = RunResult()
    try:
        answer = cli.main(words, prog_name="sfcode", standalone_mode=False, obj=result)
        code = answer if isinstance(answer, int) else ExitCode.OK
    except BaseException as error:  # noqa: BLE001  (every way out passes here and becomes an exit code)
        result.error = error
        color = not ("--no-color" in words or os.environ.get("NO_COLOR"))
        code = output.print_error(error, json="--json" in words, verbose="--verbose" in words, color=color)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from sfcode.cli.github_actions import write_step_results

        write_step_results(result, code, os.environ)
    sys.exit(code)


if __name__ == "__main__":
    main()
