"""`sfcode import`: write the config of an org that was configured by hand."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from sfcode.cli.interruption import only_reading
from sfcode.cli.invocation import Invocation, connect_target
from sfcode.cli.output import echo, paint, print_envelope, print_status
from sfcode.config.mapping_models import Direction
from sfcode.config.models import Region
from sfcode.errors import ConfigError, ExitCode, Refused, UsageError


def _pairs(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = tuple((name.strip(), field.strip()) for name, _, field in (value.partition("=") for value in values))
    if not all(name and field for name, field in pairs):
        raise click.BadParameter("write it like role=Title, the attribute's name in Appcues and a field")
    return pairs


@click.command(name="import")
@click.option(
    "--object", "objects", metavar="OBJECT", multiple=True, help="Object to map, such as Contact. Repeatable."
)
@click.option(
    "--user-id-field",
    "user_id",
    metavar="FIELD",
    multiple=True,
    help="Field that equals the user ID in Appcues: Field, or Object.Field with several objects. Repeatable.",
)
@click.option(
    "--attribute",
    "attributes",
    metavar="NAME=FIELD",
    multiple=True,
    callback=_pairs,
    help="Attribute in Appcues, and the field that it is sent from. Repeatable.",
)
@click.option("--nps-score", metavar="FIELD", multiple=True, help="Field of the latest NPS score, or none.")
@click.option("--nps-feedback", metavar="FIELD", multiple=True, help="Field of the latest NPS feedback, or none.")
@click.option(
    "--direction", type=click.Choice(get_args(Direction)), help="Direction of the data, if the org does not show it."
)
@click.option("--user", metavar="USERNAME", help="Integration user, if there are several.")
@click.option("--permission-set", metavar="NAME", help="Permission set of the integration user, if there are several.")
@click.option("--name", default="Appcues", show_default=True, help="Prefix of the names that sfcode generates.")
@click.option(
    "--appcues-account",
    "account",
    metavar="ID",
    help="Account ID in Appcues, which no org contains; can be set later.",
)
@click.option(
    "--region",
    type=click.Choice(get_args(Region)),
    default="us",
    show_default=True,
    help="Region of the Appcues account.",
)
@click.option("--relay-url", metavar="URL", help="Public URL of the relay; can be set later.")
@click.option("--dry-run", is_flag=True, help="Print the files without writing them.")
@click.option("--overwrite", is_flag=True, help="Overwrite existing files.")
@click.pass_obj
def import_(
    invocation: Invocation,
    /,
    *,
    dry_run: bool,
    overwrite: bool,
    **answers: Any,
) -> int:
    """
    Write the config of an org that was configured by hand.

    Reads the org of --org and changes nothing in it. Writes sfcode.yaml and mappings/ into the folder of --config. If
    the org does not determine some values, lists all of them, each with the option that sets it. The first apply of
    the config then manages the existing components without changing them.
    """
    from sfcode.config.load import project_root
    from sfcode.config.models import DEFAULT_API_VERSION
    from sfcode.importing.answers import ImportOptions
    from sfcode.importing.pipeline import import_org
    from sfcode.importing.report import format_report, to_document

    if invocation.org is None:
        raise UsageError(
            "No org to import from was passed.",
            "Pass --org alias:NAME, --org env:PREFIX, --org local or an instance URL.",
        )
    folder = _new_config(invocation)
    if identity := _find_identity(folder):
        answers["identity"] = identity
    options = ImportOptions(environment=invocation.env, org=invocation.org, **answers)
    if not (dry_run or overwrite):
        _refuse_files(folder, _list_existing_files(folder))
    place, count = project_root(folder), invocation.progress.count
    with (
        only_reading(),
        connect_target(invocation.org, place, DEFAULT_API_VERSION, on_response=count) as org,
        invocation.show_progress("Reading the org"),
    ):
        result = import_org(org, options, folder)
    remaining_files = sorted(set(_list_existing_files(folder)) - set(result.texts))
    if not dry_run:
        _write(folder, result.texts)
    if invocation.json:
        print_envelope(
            {**to_document(result, options), "written": not dry_run, "kept": remaining_files}, result.plan.warnings
        )
        return ExitCode.OK
    print_status(invocation, format_report(result, options, paint) + "\n")
    if dry_run:
        for path, content in result.texts.items():
            echo(f"--- {folder / path}\n{content}")
    else:
        _print_results(invocation, [*result.texts], remaining_files)
    return ExitCode.OK


def _new_config(invocation: Invocation) -> Path:
    """Return the folder to write to, which is never above the current folder."""
    return invocation.named_config or Path("config")


def _print_results(invocation: Invocation, written_files: list[str], remaining_files: list[str]) -> None:
    """Print the written files, and the next steps."""
    for path in written_files:
        print_status(invocation, f"wrote {_new_config(invocation) / path}")
    for path in remaining_files:
        print_status(
            invocation, f"kept  {_new_config(invocation) / path}, which already existed and is part of this config"
        )
    print_status(invocation, "\nNext; commit the files when the plan is what you expect:\n")
    for words in (("validate",), ("plan", "--out", "adopt.plan"), ("apply", "adopt.plan")):
        print_status(invocation, f"  {_command(invocation, *words)}")


def _command(invocation: Invocation, *words: str) -> str:
    folder = str(_new_config(invocation))
    is_default = folder == (os.environ.get("SFCODE_CONFIG") or "config")
    return shlex.join(["sfcode", *([] if is_default else ["--config", folder]), *words])


def _list_existing_files(folder: Path) -> list[str]:
    """List the existing config files by their path in the folder."""
    paths = [path for path in (folder / "sfcode.yaml", *sorted((folder / "mappings").glob("*.yaml"))) if path.exists()]
    return [path.relative_to(folder).as_posix() for path in paths]


def _find_identity(folder: Path) -> str | None:
    """Return the `id` of a config that is overwritten, so that its applied state is still found."""
    from sfcode.config.names import DEVELOPER
    from sfcode.config.yaml import read

    path = folder / "sfcode.yaml"
    try:
        identity = read(path, str(path)).get(("id",)) if path.exists() else None
    except ConfigError:
        return None  # an unreadable config is overwritten
    return identity if isinstance(identity, str) and re.fullmatch(DEVELOPER, identity) else None


def _refuse_files(folder: Path, present: list[str]) -> None:
    if present:
        listed = "".join(f"\n  {folder / name}" for name in present)
        raise Refused(
            f"A config already exists:{listed}",
            "Nothing was written. --dry-run prints the files; --config DIR writes them elsewhere; --overwrite "
            "replaces them.",
        )


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    from sfcode.atomic_write import write_together
    from sfcode.config.schema import KINDS, render_json_schema

    schemas = {f".schema/{kind}.json": render_json_schema(kind) for kind in KINDS}
    write_together({folder / name: content for name, content in {**schemas, **texts}.items()})
