"""Values of formulas: functions, blanks, dates, references, and values before the save."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sfcode.local.formula.evaluate import evaluate
from sfcode.local.formula.parser import FormulaError
from sfcode.local.record_writer import RecordWriter
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.formulas import RecordContext
from sfcode.local.sobjects.rows import Rows

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


class EmptyScope:
    """A scope without fields."""

    now = NOON
    is_new = False

    def value(self, path: tuple[str, ...]) -> Any:
        raise FormulaError(f"Field {'.'.join(path)} does not exist. Check spelling.")

    prior = value


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1 + 2 * 3", Decimal(7)),
        ("2 ^ 10", Decimal(1024)),
        ("-2 - -3", Decimal(1)),
        ("10 / 4", Decimal("2.5")),
        ("TEXT(10001)", "10001"),
        ("TEXT(1.50)", "1.5"),
        ("TEXT(0.000001)", "0.000001"),
        ("TEXT(100 * 100000000000000)", "10000000000000000"),
        ("TEXT(-0.0)", "0"),
        ("TEXT(DATE(2026, 3, 1))", "2026-03-01"),
        ("TEXT(NOW())", "2026-03-18 12:00:00Z"),
        ("'a' & 'b' & TEXT(1)", "ab1"),
        ("'a' + 'b'", "ab"),
        ("IF(1 > 2, 'x', 'y')", "y"),
        ("IF(NULL > 2, 'x', 'y')", "y"),
        ("IF(NOT(NULL > 2), 'x', 'y')", "y"),
        ("ISBLANK('')", True),
        ("ISBLANK(' ')", False),
        ("ISNULL(NULL)", True),
        ("BLANKVALUE('', 'none')", "none"),
        ("BLANKVALUE('some', 'none')", "some"),
        ("LEFT('abcdef', 2)", "ab"),
        ("RIGHT('abcdef', 2)", "ef"),
        ("RIGHT('abcdef', 0)", ""),
        ("MID('abcdef', 2, 3)", "bcd"),
        ("MID('abcdef', 0, 3)", "abc"),
        ("MID('abc', 9, 3)", ""),
        ("LEN('abc')", Decimal(3)),
        ("LEN('')", Decimal(0)),
        ("UPPER('aé')", "AÉ"),
        ("TRIM('  a b ')", "a b"),
        ("SUBSTITUTE('a-b-c', '-', '')", "abc"),
        ("FIND('c', 'abc')", Decimal(3)),
        ("FIND('z', 'abc')", Decimal(0)),
        ("LPAD('7', 3, '0')", "007"),
        ("RPAD('abc', 2)", "ab"),
        ("CONTAINS('abc', 'b')", True),
        ("CONTAINS('abc', 'B')", False),
        ("BEGINS('abc', 'ab')", True),
        ("CASE('b', 'a', 1, 'b', 2, 0)", Decimal(2)),
        ("CASE('z', 'a', 1, 0)", Decimal(0)),
        ("VALUE(' 12.5 ')", Decimal("12.5")),
        ("ABS(-3)", Decimal(3)),
        ("ROUND(2.5, 0)", Decimal(3)),
        ("ROUND(-2.5, 0)", Decimal(-3)),
        ("ROUND(1.005, 2)", Decimal("1.01")),
        ("ROUND(1234, -2)", Decimal(1200)),
        ("FLOOR(-2.5)", Decimal(-2)),
        ("CEILING(-2.5)", Decimal(-3)),
        ("MFLOOR(-2.5)", Decimal(-3)),
        ("MCEILING(-2.5)", Decimal(-2)),
        ("FLOOR(1/3*3)", Decimal(1)),
        ("MOD(-4, 3)", Decimal(-1)),
        ("MAX(1, 3, 2)", Decimal(3)),
        ("MIN(1, 3, 2)", Decimal(1)),
        ("DATE(2026, 3, 1) - DATE(2026, 2, 1)", Decimal(28)),
        ("TEXT(DATE(2026, 2, 28) + 1)", "2026-03-01"),
        ("NOW() - (NOW() - 0.5)", Decimal("0.5")),
        ("TEXT(ADDMONTHS(DATE(2026, 1, 31), 1))", "2026-02-28"),
        ("WEEKDAY(TODAY())", Decimal(4)),
        ("YEAR(TODAY())", Decimal(2026)),
        ("TODAY() = DATEVALUE('2026-03-18')", True),
        ("DATEVALUE(NOW()) = TODAY()", True),
        ("AND(TRUE, 1 = 1)", True),
        ("TRUE && FALSE || TRUE", True),
        ("!FALSE", True),
        ("1 <> 2", True),
        ("'a' == 'A'", False),
        ("CASESAFEID('0030000000000Ab')", "0030000000000AbAAI"),
        ("REGEX('a1', '[a-z][0-9]')", True),
    ],
)  # fmt: skip
def test_formulas_of_constants_have_the_values_of_the_platform(formula: str, expected: object) -> None:
    """The expected values are those of the platform."""
    assert evaluate(formula, EmptyScope()) == expected


@pytest.mark.parametrize(
    "formula", ["1 / 0", "VALUE('seven')", "10 ^ 100", "2 ^ 0.5", "DATE(2026, 2, 30)", "IMAGE('a', 'b')", "SQRT(-1)"]
)
def test_a_formula_without_a_value_is_an_error(formula: str) -> None:
    """Formulas that show #Error! on a page raise an error."""
    with pytest.raises(FormulaError):
        evaluate(formula, EmptyScope())


def contact(writer: RecordWriter, **more: Any) -> RecordContext:
    account = writer.create("Account", {"Name": "Acme"})
    values = {"LastName": "Kim", "Product_User_Id__c": 10001, "AccountId": account}
    record = writer.tx.records.get("Contact", writer.create("Contact", values))
    assert record is not None
    return RecordContext(Catalog(writer.tx), Rows(writer.tx), "Contact", record, NOON, user_id=writer.user_id, **more)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('IF(ISBLANK(Product_User_Id__c), "", TEXT(Product_User_Id__c))', "10001"),
        ("Account.Name & '/' & LastName", "Acme/Kim"),
        ("Account.Owner.Username", "admin@northwind.example"),
        ("ISBLANK(Title)", True),
        ("Title = ''", True),
        ("Title = Department", True),
        ("ISPICKVAL(Plan__c, '')", True),
        ("{!$Record.LastName}", "Kim"),
        ("$User.Username", "admin@northwind.example"),
        ("$Profile.Name", "System Administrator"),
        ("$Permission.Bypass_Flows", True),
        ("$Permission.Other", False),
        ("$Organization.Name", "Northwind Traders"),
        ("DATEVALUE(Last_Login__c)", None),
        ("Last_Login__c > NOW()", None),
        ("ReportsTo.Name", ""),
    ],
)
def test_references_are_evaluated(writer: RecordWriter, formula: str, expected: object) -> None:
    """References lead to fields, parents and globals; missing ones are blank."""
    assert evaluate(formula, contact(writer, permissions=frozenset({"Bypass_Flows"}))) == expected


def test_functions_of_changes_compare_with_the_previous_record(writer: RecordWriter) -> None:
    """ISCHANGED and PRIORVALUE use the values before the save; a new record has not changed."""
    new = contact(writer, is_new=True)
    assert [evaluate(formula, new) for formula in ("ISNEW()", "ISCHANGED(LastName)")] == [True, False]
    assert evaluate("PRIORVALUE(LastName)", new) == "Kim"
    before = dict(new.record) | {"LastName": "Lee", "Title": None}
    saved = contact(writer, prior_record=before)
    assert evaluate("OR(ISNEW(), ISCHANGED({!$Record.LastName}))", saved) is True
    assert evaluate("ISNEW() || ISCHANGED({!$Record.Title})", saved) is False
    assert evaluate("PRIORVALUE(LastName) & $Record__Prior.LastName", saved) == "LeeLee"


def test_blank_as_zero_treats_blank_numbers_as_zero(writer: RecordWriter) -> None:
    """A formula that treats blanks as zeros sees no blank numbers."""
    blank = contact(writer)
    context = RecordContext(blank.catalog, blank.rows, "Account", {}, NOON)
    zero = RecordContext(blank.catalog, blank.rows, "Account", {}, NOON, blank_as_zero=True)
    assert evaluate("Seats__c + 1", context) is None
    assert evaluate("Seats__c + 1", zero) == Decimal(1)
    assert evaluate("ISBLANK(Seats__c)", zero) is False
