"""Queries read only rows that can match, and have the same result as without an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import reset
from sfcode.local.sobjects.describe import describe
from sfcode.local.sobjects.rows import UserView
from sfcode.local.soql import conditions
from sfcode.local.soql.execute import run
from sfcode.local.soql.index_hints import number_behind
from sfcode.local.store import OrgTransaction, Store
from sfcode.local.tables import records
from sfcode.metadata.component import Component

NOW = datetime(2026, 3, 4, tzinfo=UTC)
FORMULA = 'IF(ISBLANK(Product_User_Id__c), "", TEXT(Product_User_Id__c))'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return the shipped company with a few additional contacts and a formula field."""
    folder = tmp_path_factory.mktemp("org")
    reset(folder)
    with Store(folder / "org.db") as store:
        with store.transaction() as tx:
            admin = tx.settings.get("admin_id") or ""
            body = {"label": "User", "type": "Text", "formula": FORMULA}
            tx.components.put(Component("CustomField", "Contact.User__c", body), user_id=admin, now=NOW)
            for number, name in enumerate(["Ärger", "ärger", "KELVIN", "kelvin", "o'neil", ""]):
                values = {"LastName": name, "Title": name or None, "Product_User_Id__c": number + 0.5}
                tx.records.insert("Contact", values, user_id=admin, now=NOW)
        yield store


def ask(store: Store, soql: str) -> list[dict[str, Any]]:
    with store.read() as tx:
        return [{**row, "attributes": None} for row in run(soql, tx, NOW, "").records]


def some_ids(store: Store, count: int) -> str:
    with store.read() as tx:
        return ", ".join(f"'{row['Id']}'" for row in tx.records.list_all("Contact")[:count])


CONDITIONS = [
    "Id IN ({ids})",
    "Id IN ({ids}) AND LastName != 'x'",
    "AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'A%')",
    "Id IN (SELECT ContactId FROM CampaignMember)",
    "AccountId NOT IN (SELECT Id FROM Account)",
    "LastName = 'kelvin'",
    "LastName IN ('Kelvin', 'KELVIN', 'nobody')",
    "LastName = 'ärger'",
    "LastName IN ('', 'kelvin')",
    "Title = null",
    "Title = ''",
    "Title IN (null, 'kelvin')",
    "LastName = 'kelvin' OR Title = null",
    "NOT LastName = 'kelvin'",
    "Product_User_Id__c = 10001",
    "Product_User_Id__c IN (10001, 10002, 0.5)",
    "User__c = '10001'",
    "User__c IN ('10001', '10002', '0.5', '.5', 'nonsense', '1E3', '')",
    "User__c = null",
    "Account.Name = 'Northwind'",
    "CreatedDate = 2026-03-04T00:00:00Z",
    "CreatedDate = TODAY",
    "IsDeleted = false",
]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_result_does_not_depend_on_indexes(
    store: Store, monkeypatch: pytest.MonkeyPatch, condition: str, indexed: bool
) -> None:
    """The result is the same whether rows are preselected or not, and with or without an index."""
    soql = f"SELECT Id, LastName, User__c FROM Contact WHERE {condition}".format(ids=some_ids(store, 5))
    if indexed:
        store.index(["AccountId", "LastName", "Title", "Product_User_Id__c", "CreatedDate"])
    narrowed_rows = ask(store, soql)
    monkeypatch.setattr(conditions, "narrow", lambda *_: None)
    assert narrowed_rows == ask(store, soql)


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id, Account.Name FROM Contact WHERE Id IN ({ids})",
        "SELECT Id FROM Contact WHERE LastName = 'kelvin' AND IsDeleted = false",
        "SELECT Id FROM Contact WHERE User__c IN ('10001', '10002')",
        "SELECT COUNT() FROM Contact",
        "SELECT Id FROM Contact LIMIT 2",
        "SELECT Id FROM Contact LIMIT 2 OFFSET 3",
    ],
)
def test_rows_that_cannot_match_are_not_read(store: Store, monkeypatch: pytest.MonkeyPatch, soql: str) -> None:
    list_all = records.RecordTable.list_all

    def list_everything(table: records.RecordTable, object_name: str, most: int = -1) -> list[records.Record]:
        assert 0 <= most <= 5, f"every {object_name} was read"
        return list_all(table, object_name, most)

    text = soql.format(ids=some_ids(store, 2))
    monkeypatch.setattr(records.RecordTable, "list_all", list_everything)
    with store.read() as tx:
        assert run(text, tx, NOW, "").total


def test_a_limited_query_returns_the_first_rows(store: Store) -> None:
    every = [row["Id"] for row in ask(store, "SELECT Id FROM Contact")]
    assert [row["Id"] for row in ask(store, "SELECT Id FROM Contact LIMIT 4 OFFSET 3")] == every[3:7]
    assert ask(store, "SELECT Id FROM Contact LIMIT 0") == []


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        (FORMULA, "Product_User_Id__c"),
        ("TEXT(Id__c)", "Id__c"),
        ("IF(ISBLANK(id__c), null, TEXT(Id__c))", "Id__c"),
        ("IF(ISBLANK(Other__c), '', TEXT(Id__c))", ""),
        ("IF(ISBLANK(Id__c), '0', TEXT(Id__c))", ""),
        ("TEXT(Account.Id__c)", ""),
        ("TEXT(Id__c) & 'x'", ""),
        ("TEXT(", ""),
    ],
)
def test_a_formula_that_converts_a_number_to_text_is_recognized(formula: str, name: str) -> None:
    assert number_behind(formula) == name


def indexes(store: Store) -> set[str]:
    with store.read() as tx:
        return {row[0] for row in tx._db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'record_by_%'")}


def test_a_condition_on_many_rows_gets_an_index_unless_a_process_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query does not wait for a writer: its index is created only when no other process is writing."""
    monkeypatch.setattr(records, "MIN_INDEXED", 5)
    reset(tmp_path)
    with Store(tmp_path / "org.db") as store:
        with store.read() as tx:
            run("SELECT Id FROM Contact WHERE Email = 'a@x.example'", tx, NOW, "")
            assert tx.records.missing_indexes == {"Email"}
        with store.transaction():
            store.index(tx.records.missing_indexes)
        assert indexes(store) == set()
        store.index(tx.records.missing_indexes)
        assert indexes(store) == {"record_by_Email"}
        with store.read() as second_tx:
            run("SELECT Id FROM Contact WHERE Email = 'a@x.example'", second_tx, NOW, "")
            assert second_tx.records.missing_indexes == set()


def test_a_limited_query_includes_rows_that_are_computed(tmp_path: Path) -> None:
    reset(tmp_path)
    with Store(tmp_path / "org.db") as store, store.read() as tx:
        for name in ("UserPermissionAccess", "PermissionSet", "EntityDefinition"):
            result = run(f"SELECT Id FROM {name} LIMIT 1", tx, NOW, "", tx.settings.get("admin_id"))
            assert len(result.records) == 1, name


@contextmanager
def statements(tx: OrgTransaction) -> Iterator[list[str]]:
    """Record the SQL statements of a transaction."""
    executed: list[str] = []
    db: sqlite3.Connection = tx._db
    db.set_trace_callback(executed.append)
    yield executed
    db.set_trace_callback(None)


def count_statements_of_describe(folder: Path, objects: int) -> int:
    reset(folder)
    with Store(folder / "org.db") as store:
        with store.transaction() as tx:
            admin = tx.settings.get("admin_id") or ""
            for number in range(objects):
                component = Component("CustomObject", f"Thing{number}__c", {"label": "Thing"})
                tx.components.put(component, user_id=admin, now=NOW)
        with store.read() as tx:
            view = UserView.of(tx, admin, NOW)
            with statements(tx) as executed:
                target = view.catalog.object("Contact")
                assert target is not None
                describe(target, view.catalog.children("Contact"), "")
            return len(executed)


def test_a_describe_needs_no_more_statements_with_more_objects(tmp_path: Path) -> None:
    assert count_statements_of_describe(tmp_path / "few", 2) == count_statements_of_describe(tmp_path / "many", 40)
