"""The precomputed parser tables, so that the local org need not compute them at its start."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from sfcode.local import grammars

TEXTS = {
    "sfcode.local.formula": (
        "IF(ISBLANK(A__c), \"\", TEXT(B__r.C__c)) & 'x'",
        "NOT(1 + 2 * -3 >= 4 || $User.Id <> null) && !TRUE",
    ),
    "sfcode.local.soql": (
        "SELECT Id, Account.Name FROM Contact WHERE (Name LIKE 'A%' OR Email != null) AND Id IN ('1','2') ORDER BY Id DESC LIMIT 5",
        "SELECT Title, COUNT(Id) n FROM Contact WHERE CreatedDate = LAST_N_DAYS:3 GROUP BY Title",
        "SELECT Title FROM Contact GROUP BY Title HAVING COUNT(Id) > 1 AND (NOT Title LIKE 'A%') ORDER BY COUNT(Id) DESC",
    ),
}


@pytest.mark.parametrize("package", grammars.GRAMMARS)
def test_the_tables_match_the_grammars(package: str) -> None:
    """After a change of a grammar or of lark, run `make grammars`; until then each start computes the table."""
    assert grammars.load_table(package) is not None, "run make grammars"


@pytest.mark.parametrize(("package", "text"), [(package, text) for package in TEXTS for text in TEXTS[package]])
def test_a_table_parses_like_its_grammar(package: str, text: str) -> None:
    """The parser from the table returns the same tree as the parser that is built from the grammar."""
    assert grammars.load(package).parse(text) == grammars.build_parser(package).parse(text)


def test_a_table_of_another_grammar_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed grammar is used at once, although its table is outdated."""
    read = grammars._read
    package = "sfcode.local.soql"
    stale = json.dumps(json.loads(files(package).joinpath(grammars.TABLE).read_text("utf-8")) | {"of": "another"})
    monkeypatch.setattr(grammars, "_read", lambda name, file: stale if file == grammars.TABLE else read(name, file))
    assert grammars.load_table(package) is None
    assert grammars.load(package).parse(TEXTS[package][0])
