"""`sfcode relay load`: past NPS answers from an export of Appcues."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.errors import ExitCode, UsageError
from sfcode.text import count_noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfcode.relay.load.load import LoadResult
    from sfcode.relay.message import InboxMessage

MOST_SHOWN = 20


@click.command("load")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Column of a field whose name is not known: user_id, timestamp, score, feedback, survey, survey_id, page or event. "
    "Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Check the rows and store nothing.")
@click.pass_obj
def load_command(invocation: Invocation, file: Path, columns: tuple[str, ...], *, dry_run: bool) -> ExitCode:
    """
    Load past NPS answers from FILE, an export of Appcues as CSV or JSON.

    Needs the recipe nps_history: the relay creates its records from the answers and writes nothing else. Rows that
    cannot be read are listed with their lines; the other rows are loaded. Loading a file again adds nothing.
    """
    from sfcode.relay.load.answers import AnswerReader
    from sfcode.relay.load.load import load_answers
    from sfcode.relay.load.rows import read_rows

    project = invocation.project()
    if project.recipes.nps_history is None:
        raise UsageError(
            "Past answers are kept by the recipe nps_history, which this project does not have.",
            "Add `nps_history:` to config/recipes.yaml and apply it, then load the file.",
        )
    reader = AnswerReader(project.events, datetime.now(UTC), _parse_columns(columns))
    with ExitStack() as stack:
        stream = stack.enter_context(file.open(encoding="utf-8-sig", errors="replace", newline=""))
        inbox = None if dry_run else stack.enter_context(open_project_inbox(invocation, create=True))
        stack.enter_context(invocation.show_progress(f"Loading {file.name}"))

        def accept(messages: Sequence[InboxMessage]) -> int:
            return inbox.accept(messages) if inbox else 0

        result = load_answers(read_rows(stream), reader, accept, lambda _: invocation.progress.count())
    _print(invocation, file, result, dry_run=dry_run)
    return ExitCode.USER if result.bad else ExitCode.OK


def _parse_columns(pairs: tuple[str, ...]) -> dict[str, str]:
    from sfcode.config.did_you_mean import format_choices
    from sfcode.relay.load.answers import COLUMNS

    columns = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column:
            raise UsageError(f"--column {pair} has no column.", "Pass --column user_id=COLUMN.")
        if name not in COLUMNS:
            raise UsageError(f"--column {pair}: there is no field {name}.", f"Pass {format_choices(name, COLUMNS)}.")
        columns[name] = column
    return columns


def _print(invocation: Invocation, file: Path, result: LoadResult, *, dry_run: bool) -> None:
    if invocation.json:
        print_envelope({**asdict(result), "dry_run": dry_run})
        return
    for row in result.bad_rows[:MOST_SHOWN]:
        print_status(invocation, f"{file}:{row.line}: {row.problem}")
    if result.bad > MOST_SHOWN:
        print_status(invocation, f"and {result.bad - MOST_SHOWN:,} more; --json lists them")
    parts = [f"{count_noun(result.rows, 'row')}: {count_noun(result.answers, 'answer')}"]
    if result.answers:
        parts[0] += f" from {result.first[:10]} to {result.last[:10]}"
    if not dry_run and result.answers != result.new:
        parts.append(f"{result.answers - result.new:,} of them already stored")
    if result.other_events:
        parts.append(f"{count_noun(result.other_events, 'other event')}")
    if result.bad:
        parts.append(f"{count_noun(result.bad, 'row')} left out")
    end = "nothing was stored" if dry_run else "the relay writes the messages in the inbox"
    echo(f"{', '.join(parts)}; {end}.")
