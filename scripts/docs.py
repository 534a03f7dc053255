"""
Write the generated files; with --check, list those that are outdated.

These are the pages under docs/reference/, docs/unverified.md, docs/local-org-evidence.md, the events.yaml and .schema/
of config/, sfcode/cli/help.txt, sfcode/generate/shipped_templates.py, the tables of docs/relay.md, the remedies in
docs/guide/doctor.md, and the figures of benchmarks/RESULTS.md on other pages.

.venv/bin/python scripts/docs.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from scripts.assumptions import unverified_page
from scripts.events_page import events_page
from scripts.figures import measured_pages
from scripts.recorded import evidence_page
from scripts.relay_tables import PAGE as RELAY_PAGE
from scripts.relay_tables import write_tables
from scripts.translate_templates import translate_templates
from sfcode.__main__ import HELP_WIDTH
from sfcode.checks.remedies import REMEDIES
from sfcode.cli.main import cli
from sfcode.config.events_file import render_events_file
from sfcode.config.reference import render_reference
from sfcode.config.schema import KINDS, render_json_schema

ROOT = Path(__file__).resolve().parent.parent
CLI_PAGE = Path("docs/reference/cli.md")
LANGUAGE_PAGE = Path("docs/reference/mapping-language.md")
UNVERIFIED_PAGE = Path("docs/unverified.md")
EVIDENCE_PAGE = Path("docs/local-org-evidence.md")
EVENTS_PAGE = Path("docs/reference/events.md")
DOCTOR_PAGE = Path("docs/guide/doctor.md")
EVENTS_FILE = Path("config/events.yaml")
TEMPLATES_MODULE = Path("sfcode/generate/shipped_templates.py")
HELP_FILE = Path("sfcode/cli/help.txt")
"""The file with the output of `sfcode --help`, which is printed without importing the command line."""

CLI_HEAD = """\
# Command line

`make docs` generates this page from `sfcode --help`. [Exit codes](exit-codes.md) has a page of its own.

Global options are accepted before and after the verb: `sfcode --env sandbox plan` and `sfcode plan --env sandbox`
are the same.
"""


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield a command and all commands below it, in the order of `--help`."""
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from commands(
                    child, click.Context(child, info_name=name, parent=context, terminal_width=HELP_WIDTH)
                )


def cli_page() -> str:
    """Render the help of every command as one Markdown page."""
    parts = [CLI_HEAD]
    for command, context in commands(cli, _context(HELP_WIDTH)):
        parts.append(f"\n## {context.command_path}\n\n```text\n{command.get_help(context).strip()}\n```\n")
    return "".join(parts)


def help_text() -> str:
    """Render the output of `sfcode --help`."""
    return cli.get_help(_context(HELP_WIDTH - 2)) + "\n"  # click subtracts two from the width of the terminal


def _context(width: int) -> click.Context:
    """Return the context of the whole command line, with the settings that it has when it runs."""
    settings: dict[str, Any] = {**cli.context_settings, "terminal_width": width}
    return click.Context(cli, info_name="sfcode", **settings)


def pages() -> dict[Path, str]:
    """Render every generated page, by its path in the repository."""
    schemas = {Path(f"config/.schema/{kind}.json"): render_json_schema(kind) for kind in KINDS}
    texts = {CLI_PAGE: cli_page(), LANGUAGE_PAGE: render_reference(), UNVERIFIED_PAGE: unverified_page()}
    texts |= {EVIDENCE_PAGE: evidence_page(), EVENTS_PAGE: events_page(), HELP_FILE: help_text()}
    texts[TEMPLATES_MODULE] = translate_templates(ROOT / "templates" / "metadata")
    measured = measured_pages()
    measured[RELAY_PAGE] = write_tables(measured.get(RELAY_PAGE) or (ROOT / RELAY_PAGE).read_text(encoding="utf-8"))
    texts[DOCTOR_PAGE] = doctor_page((ROOT / DOCTOR_PAGE).read_text(encoding="utf-8"))
    return {**texts, EVENTS_FILE: render_events_file(), **schemas, **measured}


def doctor_page(text: str) -> str:
    """Return the page about doctor with the remedy of each rule in the last column of its row."""
    row = re.compile(r"^(\| (D\d{3}) \| .+ \| ).+ \|$", re.MULTILINE)
    return row.sub(lambda match: f"{match[1]}{REMEDIES[match[2]]} |", text)


def main(arguments: list[str]) -> int:
    """Write the pages, or list those that are outdated."""
    stale = [path for path, text in pages().items() if _read(ROOT / path) != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path} is stale; `make docs` writes it")
        return 1 if stale else 0
    for path, text in pages().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    for path in stale:
        print(f"wrote {path}")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
