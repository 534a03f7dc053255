"""SOQL compared with a few lines of Python, over rows and conditions that Hypothesis draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import Rows
from sfcode.local.sobjects.sharing import set_model
from sfcode.local.soql.execute import run
from sfcode.local.store import OrgTransaction, Store
from sfcode.metadata.component import Component
from tests.local.conftest import NOON

Row = dict[str, Any]
TEXTS = ("", "a", "A", "ab", "a%b", "x_y", "O'Brien", "é")
NUMBERS = (-2.5, 0.0, 1.0, 7.0)


@dataclass(frozen=True)
class Condition:
    """A condition in SOQL, and the same condition in Python."""

    text: str
    holds: Callable[[Row], bool]


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def folded(value: Any) -> Any:
    return (value.lower() or None) if isinstance(value, str) else value


def compared(field: str, sign: str, value: Any, literal: str) -> Condition:
    def holds(row: Row) -> bool:
        left, right = folded(row.get(field)), folded(value)
        if sign in ("=", "!="):
            return (left == right) is (sign == "=")
        if left is None or right is None:
            return False
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]

    return Condition(f"{field} {sign} {literal}", holds)


def listed(field: str, negated: bool, values: list[Any], write: Callable[[Any], str]) -> Condition:
    folded_values = {folded(value) for value in values}
    sign = "NOT IN" if negated else "IN"
    return Condition(
        f"{field} {sign} ({', '.join(map(write, values))})",
        lambda row: (folded(row.get(field)) in folded_values) is not negated,
    )


SIGNS = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
SIMPLE = st.one_of(
    st.builds(lambda sign, text: compared("Title", sign, text, quoted(text)), SIGNS, st.sampled_from(TEXTS)),
    st.builds(lambda sign, number: compared("Seats__c", sign, number, str(number)), SIGNS, st.sampled_from(NUMBERS)),
    st.builds(lambda sign: compared("Seats__c", sign, None, "null"), st.sampled_from(("=", "!="))),
    st.builds(lambda no, texts: listed("Title", no, texts, quoted), st.booleans(), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)),
    st.builds(lambda no, list_values: listed("Seats__c", no, list_values, str), st.booleans(), st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3)),
)  # fmt: skip
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(lambda operand: Condition(f"(NOT {operand.text})", lambda row: not operand.holds(row)), inner),
        st.builds(
            lambda operand, other: Condition(
                f"({operand.text} AND {other.text})", lambda row: operand.holds(row) and other.holds(row)
            ),
            inner,
            inner,
        ),
        st.builds(
            lambda operand, other: Condition(
                f"({operand.text} OR {other.text})", lambda row: operand.holds(row) or other.holds(row)
            ),
            inner,
            inner,
        ),
    ),
    max_leaves=6,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"Title": st.sampled_from((None, *TEXTS[1:])), "Seats__c": st.sampled_from((None, *NUMBERS))}
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def tx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgTransaction]:
    """Return a transaction over an empty org with one field of each kind."""
    with Store(tmp_path_factory.mktemp("oracle") / "org.db") as store, store.transaction() as tx:
        for name, body in (
            ("Contact.Seats__c", {"type": "Number", "precision": 6, "scale": 2}),
            ("Contact.Double__c", {"type": "Number", "precision": 6, "scale": 2, "formula": "Seats__c * 2"}),
        ):
            tx.components.put(Component("CustomField", name, body), user_id="u", now=NOON)
        yield tx


class UndoneError(Exception):
    """Raised to leave a savepoint, so that its changes are undone."""


def run_queries(tx: OrgTransaction, rows: list[Row], *queries: str, user_id: str | None = None) -> list[list[Row]]:
    """Store rows, run a query, and undo the storage of the rows."""
    answers: list[list[Row]] = []
    try:
        with tx.savepoint():
            for number, row in enumerate(rows):
                values = {"LastName": str(number), "OwnerId": user_id, **row}
                tx.records.insert("Contact", values, user_id="u", now=NOON)
            answers += [run(query, tx, NOON, "", user_id).records for query in queries]
            raise UndoneError
    except UndoneError:
        return answers


CHECKED = settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CHECKED
@given(rows=ROWS, condition=CONDITIONS)
def test_where_selects_the_rows_that_python_selects(tx: OrgTransaction, rows: list[Row], condition: Condition) -> None:
    """A row is returned if and only if the condition is true for it."""
    (rows_found,) = run_queries(tx, rows, f"SELECT LastName FROM Contact WHERE {condition.text}")
    assert [row["LastName"] for row in rows_found] == [str(n) for n, row in enumerate(rows) if condition.holds(row)]


@CHECKED
@given(
    rows=ROWS,
    field=st.sampled_from(("Title", "Seats__c")),
    order=st.tuples(st.booleans(), st.booleans()),
    limit=st.integers(1, 9),
)
def test_order_and_limit_match_python(
    tx: OrgTransaction, rows: list[Row], field: str, order: tuple[bool, bool], limit: int
) -> None:
    """Rows are sorted by the field, nulls first or last, equal ones in order of creation."""
    descending, last = order
    words = f"{'DESC' if descending else 'ASC'} NULLS {'LAST' if last else 'FIRST'}"
    (rows_found,) = run_queries(tx, rows, f"SELECT LastName FROM Contact ORDER BY {field} {words} LIMIT {limit}")
    numbered = list(enumerate(rows))
    nulls = [n for n, row in numbered if row[field] is None]
    numbers = sorted((n for n, row in numbered if row[field] is not None), key=lambda n: n)
    numbers.sort(key=lambda n: folded(rows[n][field]), reverse=descending)
    expected = numbers + nulls if last else nulls + numbers
    assert [row["LastName"] for row in rows_found] == [str(n) for n in expected[:limit]]


@CHECKED
@given(rows=ROWS)
def test_aggregates_match_python(tx: OrgTransaction, rows: list[Row]) -> None:
    numbers = [row["Seats__c"] for row in rows if row["Seats__c"] is not None]
    functions = "COUNT(Id) c, COUNT(Seats__c) n, MIN(Seats__c) least, MAX(Seats__c) most, SUM(Seats__c) total"
    ((totals,), grouped) = run_queries(
        tx, rows, f"SELECT {functions} FROM Contact", "SELECT Title, COUNT(Id) c FROM Contact GROUP BY Title"
    )
    assert (totals["c"], totals["n"]) == (len(rows), len(numbers))
    assert (totals["least"], totals["most"]) == ((min(numbers), max(numbers)) if numbers else (None, None))
    assert totals["total"] == (sum(numbers) if numbers else None)
    counts: dict[Any, int] = {}
    for row in rows:
        counts[folded(row["Title"])] = counts.get(folded(row["Title"]), 0) + 1
    assert {folded(row["Title"]): row["c"] for row in grouped} == counts


@CHECKED
@given(rows=ROWS, sign=SIGNS, number=st.sampled_from(NUMBERS))
def test_formula_fields_match_python(tx: OrgTransaction, rows: list[Row], sign: str, number: float) -> None:
    """A formula field is selected and filtered by its value, like any other."""
    (rows_found,) = run_queries(tx, rows, f"SELECT LastName, Double__c FROM Contact WHERE Double__c {sign} {number}")
    doubled = [
        {"n": str(n), "Double__c": None if row["Seats__c"] is None else row["Seats__c"] * 2}
        for n, row in enumerate(rows)
    ]
    condition = compared("Double__c", sign, number, "")
    assert [(row["LastName"], row["Double__c"]) for row in rows_found] == [
        (row["n"], row["Double__c"]) for row in doubled if condition.holds(row)
    ]


MODELS = ("Private", "Read", "ReadWrite")
BITS = ("allowRead", "viewAllRecords", "modifyAllRecords")


@CHECKED
@given(
    owners=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=8),
    model=st.sampled_from(MODELS),
    rights=st.sets(st.sampled_from(BITS)),
    data=st.sets(st.sampled_from(("ViewAllData", "ModifyAllData"))),
)
def test_record_access_matches_python(
    tx: OrgTransaction, owners: list[tuple[int, bool]], model: str, rights: set[str], data: set[str]
) -> None:
    """
    A record is visible for its owner, for users with View All, or for all by the org-wide default, given Read. The
    default does not apply to contacts without an account. `owners` has the owner of each record, and whether it has an
    account.
    """
    users = [f"005Lc0000000{n:03d}" for n in range(3)]
    user = users[0]
    try:
        with tx.savepoint():
            body = {
                "objectPermissions": {"Contact": dict.fromkeys(rights, True)},
                "userPermissions": {name: {"enabled": True} for name in data},
            }
            profile = tx.components.put(Component("Profile", "P", body), user_id="u", now=NOON)
            tx.records.insert("User", {"Id": user, "ProfileId": profile.id, "IsActive": True}, user_id="u", now=NOON)
            set_model(tx, "Contact", model)
            account = tx.records.insert("Account", {"Name": "A", "OwnerId": users[1]}, user_id="u", now=NOON)
            for n, (owner, has_account) in enumerate(owners):
                values = {"LastName": str(n), "OwnerId": users[owner], "AccountId": account if has_account else None}
                tx.records.insert("Contact", values, user_id="u", now=NOON)
            catalog = Catalog(tx, UserAccess(tx, user))
            visible_ids = (
                [row["LastName"] for row in Rows(tx, catalog, NOON).all("Contact")]
                if catalog.object("Contact")
                else None
            )
            raise UndoneError
    except UndoneError:
        pass
    readable = "allowRead" in rights or bool(data)
    sees_all = bool(data) or "viewAllRecords" in rights
    visible = [
        str(n)
        for n, (owner, has_account) in enumerate(owners)
        if sees_all or users[owner] == user or (has_account and model != "Private")
    ]
    assert visible_ids == (visible if readable else None)
