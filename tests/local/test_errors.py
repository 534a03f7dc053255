"""The table of errors, and the calls that use an error from it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import sfcode.local
from sfcode.local.errors import make_error

PACKAGE = Path(sfcode.local.__file__).parent
TABLE = [line for line in (PACKAGE / "errors.txt").read_text().splitlines() if not line.startswith("#")]
PLACEHOLDERS = {
    line.partition(" ")[0]: {name for _, name, _, _ in string.Formatter().parse(line) if name} for line in TABLE
}
"""The placeholders of each error, by its name."""


def literals() -> Iterator[ast.AST]:
    for path in PACKAGE.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text()))


def test_every_call_fills_the_placeholders_of_its_error() -> None:
    calls = [
        (str(node.args[0].value), {keyword.arg for keyword in node.keywords})
        for node in literals()
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {"make_error", "query_error"}
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(calls) > 50
    assert [
        (name, placeholders)
        for name, placeholders in calls
        if None not in placeholders and placeholders != PLACEHOLDERS.get(name)
    ] == []


def test_every_error_is_listed_once_and_used() -> None:
    names = [line.partition(" ")[0] for line in TABLE]
    constants = {node.value for node in literals() if isinstance(node, ast.Constant)}
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if name not in constants] == []


def test_an_error_has_the_code_the_status_the_fields_and_the_text_of_its_row() -> None:
    missing = make_error("required", names=["LastName", "Company"])
    assert (missing.code, missing.status, missing.fields) == ("REQUIRED_FIELD_MISSING", 400, ["LastName", "Company"])
    assert missing.message == "Required fields are missing: [LastName, Company]"
    assert make_error("no_access").fields == []
    assert "fields" not in make_error("not_found").body[0]
