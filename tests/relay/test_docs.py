"""docs/relay.md contains every command, variable, metric, reason and alarm of the relay."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from scripts.relay_tables import write_tables
from sfcode.cli.relay import VERBS
from sfcode.relay.metrics import Metrics
from sfcode.relay.reasons import ALARMS, REASONS, hint_for
from sfcode.relay.settings import ADMIN, API_KEY, API_SECRET, API_URL, DATABASE

NAME = re.compile(r"[a-z]+(_[a-z]+)*")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "relay.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trees(root: Path) -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in (root / "sfcode" / "relay").rglob("*.py")]


def list_arguments(trees: list[ast.Module], function: str) -> set[str]:
    """Return the first arguments of all calls of a function."""
    return {
        node.args[0].value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) == function
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and NAME.fullmatch(node.args[0].value)
    }


def test_the_tables_have_every_metric_reason_and_alarm(page):
    assert write_tables(page) == page, "`make docs` writes them"
    assert len(re.findall(r"^\| `sfcode_relay_\w+` \|", page, re.MULTILINE)) == len(list(Metrics().registry.collect()))
    for name, reason in [*REASONS.items(), *ALARMS.items()]:
        assert f"| `{name}` | {reason.meaning} | {reason.hint} |" in page
    with pytest.raises(ValueError, match="no place for the table of alarms"):
        write_tables(page.replace("<!-- end of alarms -->", ""))


@pytest.mark.parametrize(
    "name",
    [DATABASE, ADMIN, API_KEY, API_SECRET, API_URL, "SFCODE_RELAY_WEBHOOK_SECRET", "SFCODE_RELAY_OUTBOUND_SECRET"],
)
def test_every_variable_is_documented(page, name):
    assert f"`{name}`" in page


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_is_documented(page, verb):
    assert f"sfcode relay {verb}" in page or f"relay {verb}`" in page


def test_every_reason_in_the_code_is_in_the_catalog(trees):
    reasons = list_arguments(trees, "Parked")
    assert {"unknown_user", "no_mapping"} <= reasons
    assert reasons - set(REASONS) == set()


def test_a_code_of_salesforce_is_explained_by_the_writers_table():
    assert "validation rule" in hint_for("field_custom_validation_exception")
    assert hint_for("something_of_tomorrow") == ""
