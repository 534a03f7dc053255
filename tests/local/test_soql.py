from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sfcode.local.errors import ApiError
from sfcode.local.record_writer import RecordWriter
from sfcode.local.soql.ast import DateRange
from sfcode.local.soql.conditions import bounds, like_pattern
from sfcode.local.soql.execute import run
from sfcode.local.soql.parser import parse

Soql = Callable[[str], list[dict[str, Any]]]


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["Name"] for row in rows]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Name = 'cobalt robotics'", ["Cobalt Robotics"]),
        ("Name != 'x' AND Seats__c = 150", ["Foxglove Media"]),
        ("Name LIKE '%o%' AND Name LIKE '_o%'", ["Cobalt Robotics", "Dovetail Furniture", "Foxglove Media"]),
        ("Name LIKE 'juniper & sons%'", ["Juniper & Sons Bakery"]),
        ("Seats__c = null", ["Harbor Lane Hotels", "Juniper & Sons Bakery"]),
        ("Seats__c >= 40 AND Seats__c < 150.5 AND NOT Name LIKE 'B%'", ["Cobalt Robotics", "Foxglove Media"]),
        ("Name IN ('Ironwood Energy', 'BLUEFIN LOGISTICS')", ["Bluefin Logistics", "Ironwood Energy"]),
        ("BillingState NOT IN ('OR', 'NC', 'TX', 'CO', 'ON') AND Seats__c = null", ["Harbor Lane Hotels", "Juniper & Sons Bakery"]),
        ("(BillingCity = 'Leeds' OR BillingCity = 'Denver') AND Type != null", ["Evergreen Clinics", "Ironwood Energy"]),
        ("NOT (Seats__c > 1 OR Type = 'x')", ["Harbor Lane Hotels", "Juniper & Sons Bakery"]),
        ("BillingState = ''", ["Bluefin Logistics", "Evergreen Clinics", "Granite Peak Insurance", "Harbor Lane Hotels", "Juniper & Sons Bakery"]),
        ("Owner.Name = 'robin admin' AND Name < 'b'", ["Alder Creek Outfitters"]),
        ("CreatedDate = TODAY AND CreatedDate > LAST_N_DAYS:3 AND Name = 'Foxglove Media'", []),
        ("CreatedDate = TODAY AND CreatedDate >= LAST_N_DAYS:3 AND Name = 'Foxglove Media'", ["Foxglove Media"]),
        ("CreatedDate <= 2026-03-18T13:59:00+02:00 AND Name = 'Foxglove Media'", ["Foxglove Media"]),
        ("CreatedDate < 2026-03-18T11:59:00Z AND Name = 'Foxglove Media'", []),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Nair')", ["Alder Creek Outfitters", "Juniper & Sons Bakery"]),
        ("Id NOT IN (SELECT AccountId FROM Contact WHERE Product_User_Id__c != null)", []),
    ],
)  # fmt: skip
def test_conditions_select_rows_as_in_an_org(soql: Soql, condition: str, expected: list[str]) -> None:
    """A condition selects the same rows as in an org: texts without case, null equals '', and parents are followed."""
    assert names(soql(f"SELECT Name FROM Account WHERE {condition} ORDER BY Name")) == expected


def test_parents_are_nested_and_a_missing_one_is_null(writer: RecordWriter) -> None:
    writer.create("Contact", {"LastName": "Alone"})
    query = "SELECT Account.Name, Account.Owner.Alias, Name FROM Contact WHERE LastName IN ('Alone', 'Kim')"
    rows = run(query, writer.tx, writer.now, "/x").records
    assert rows[0]["Account"]["Owner"] == {"attributes": rows[0]["Account"]["Owner"]["attributes"], "Alias": "radmin"}
    assert rows[0]["Account"]["attributes"]["type"] == "Account"
    assert rows[1]["Account"] is None


def test_children_are_returned_with_their_parent_or_null_if_there_are_none(soql: Soql) -> None:
    (account,) = soql(
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 2) FROM Account WHERE Name LIKE 'Blue%'"
    )
    assert account["Contacts"] == {
        "totalSize": 2,
        "done": True,
        "records": [{"LastName": "Conti"}, {"LastName": "O'Brien"}],
    }
    (user,) = soql("SELECT Id, (SELECT PermissionSetId FROM PermissionSetAssignments) FROM User WHERE Alias = 'radmin'")
    assert user["PermissionSetAssignments"] is None


def test_nulls_are_first_in_either_order_unless_requested_last(soql: Soql) -> None:
    def seats(order: str) -> list[float | None]:
        return [
            row["Seats__c"] for row in soql(f"SELECT Seats__c FROM Account ORDER BY Seats__c {order}, Name LIMIT 3")
        ]

    assert seats("") == [None, None, 5.0]
    assert seats("DESC") == [None, None, 150.0]
    assert seats("DESC NULLS LAST")[0] == 150.0


def test_limit_and_offset_restrict_the_rows(soql: Soql) -> None:
    assert names(soql("SELECT Name FROM Account ORDER BY Name LIMIT 2 OFFSET 3")) == [
        "Dovetail Furniture",
        "Evergreen Clinics",
    ]


def test_groups_are_counted_and_named(soql: Soql) -> None:
    rows = soql(
        "SELECT Plan__c, COUNT(Id), MAX(Product_User_Id__c) most FROM Contact WHERE Plan__c != null GROUP BY Plan__c ORDER BY COUNT(Id) DESC, Plan__c LIMIT 2"
    )
    assert rows == [
        {"Plan__c": "business", "expr0": 8, "most": 10028.0},
        {"Plan__c": "team", "expr0": 8, "most": 10027.0},
    ]
    assert soql("SELECT COUNT_DISTINCT(Product_User_Id__c) n FROM Contact WHERE LastName = 'Nair'") == [{"n": 1}]
    assert soql("SELECT SUM(Seats__c) s, AVG(Seats__c) a, MIN(Name) m FROM Account WHERE Seats__c > 25") == [
        {"s": 190.0, "a": 95.0, "m": "Cobalt Robotics"}
    ]
    assert soql("SELECT COUNT(Id) n FROM Contact WHERE LastName = 'Nobody'") == [{"n": 0}]


@pytest.mark.parametrize(
    ("having", "expected"),
    [
        ("COUNT(Id) > 7", ["business", "team"]),
        ("COUNT(Id) <> 8 AND Plan__c != 'Free'", ["enterprise"]),
        ("MAX(LastName) = 'zhang' OR (NOT Plan__c IN ('team', 'business', 'enterprise'))", ["free"]),
        ("COUNT(Title) > 100", []),
    ],
)
def test_having_filters_by_aggregates_and_by_grouped_fields(soql: Soql, having: str, expected: list[str]) -> None:
    condition = "WHERE Plan__c != null AND LastName != 'Zhang'"
    rows = soql(f"SELECT Plan__c FROM Contact {condition} GROUP BY Plan__c HAVING {having} ORDER BY Plan__c")
    assert [row["Plan__c"] for row in rows] == expected


def test_quotes_and_backslashes_in_text(soql: Soql) -> None:
    assert names(soql(r"SELECT Name FROM Contact WHERE LastName = 'O\'Brien'")) == ["Liam O'Brien"]


def test_names_that_begin_like_keywords_are_names() -> None:
    query = parse(
        "SELECT Order__c, From_Date__c, Limits__c, Null__c FROM Groups__c WHERE Not__c = 1 AND In__c = true ORDER BY Desc__c"
    )
    assert [item.text for item in query.select] == ["Order__c", "From_Date__c", "Limits__c", "Null__c"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT Id FRO Contact", "MALFORMED_QUERY", "ERROR at Row:1:Column:15\nunexpected token: 'Contact'"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Contact WHERE LastName = 'x", "MALFORMED_QUERY", "ERROR at Row:1:Column:41"),
        ("SELECT Id FROM Contact WHERE LastName = 'a' OR LastName = 'b' AND LastName = 'c'", "MALFORMED_QUERY", "unexpected token: 'AND'"),
        ("SELECT Id\nFROM Contact\nWHERE Nope__c = 1", "INVALID_FIELD", "WHERE Nope__c = 1\n      ^\nERROR at Row:3:Column:7\nNo such column 'Nope__c' on entity 'Contact'."),
        ("SELECT Id, Nope FROM Contact", "INVALID_FIELD", "\nSELECT Id, Nope FROM Contact\n           ^\nERROR at Row:1:Column:12\nNo such column 'Nope' on entity 'Contact'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name."),
        ("SELECT Foo.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foo' in field path."),
        ("SELECT (SELECT Id FROM Foos) FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foos' in FROM part of query call."),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "value of filter criterion for field 'LastName' must be of type string and should be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE Product_User_Id__c = '5'", "INVALID_FIELD", "value of filter criterion for field 'Product_User_Id__c' must be of type double and should not be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD", "must be of type dateTime and should not be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime and should not be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE DoNotCall = 'true'", "INVALID_FIELD", "must be of type boolean and should not be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE AccountId = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY", "field 'Description' can not be sorted in a query call"),
        ("SELECT Name, COUNT(Id) FROM Contact GROUP BY LastName", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT LastName FROM Contact GROUP BY LastName HAVING FirstName = 'Ana'", "MALFORMED_QUERY", "Field must be grouped or aggregated: FirstName"),
        ("SELECT LastName FROM Contact HAVING COUNT(Id) > 1", "MALFORMED_QUERY", "unexpected token: 'COUNT'"),
        ("SELECT LastName FROM Contact WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "unexpected token: 'COUNT'"),
        ("SELECT Product_User_Id__c FROM Contact GROUP BY Product_User_Id__c", "MALFORMED_QUERY", "field 'Product_User_Id__c' can not be grouped in a query call"),
        ("SELECT SUM(LastName) FROM Contact", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT LastName name FROM Contact", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
    ],
)  # fmt: skip
def test_invalid_queries_are_refused_with_salesforces_codes(soql: Soql, query: str, code: str, message: str) -> None:
    """An invalid query is refused with Salesforce's error code, message and position."""
    with pytest.raises(ApiError) as refused:
        soql(query)
    assert refused.value.code == code
    assert message in refused.value.message


def test_every_field_comes_with_fields_all(soql: Soql) -> None:
    (row,) = soql("SELECT FIELDS(ALL) FROM Lead LIMIT 1")
    assert row["Product_User_Id__c"] == 20001.0
    assert row["IsConverted"] is False
    (custom,) = soql("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 1")
    assert custom == {"Plan__c": "trial", "Product_User_Id__c": 20001.0}


def test_an_id_may_have_15_characters(soql: Soql) -> None:
    (row,) = soql("SELECT Id FROM Account LIMIT 1")
    assert soql(f"SELECT Id FROM Account WHERE Id = '{row['Id'][:15]}'") == [row]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a%", "ABC", True),
        ("a_c", "abc", True),
        ("a_c", "abbc", False),
        (r"100\%", "100%", True),
        (r"100\%", "1000", False),
        (r"a\_b", "axb", False),
        ("a.c", "abc", False),
        ("%x%", "line\nx", True),
    ],
)
def test_like_supports_wildcards(pattern: str, text: str, matches: bool) -> None:
    """% matches any text, _ one character, a backslash escapes them, and no other character is special."""
    assert bool(like_pattern(pattern).fullmatch(text)) is matches


@pytest.mark.parametrize(
    ("name", "number", "first", "after"),
    [
        ("TODAY", 0, "2026-03-18", "2026-03-19"),
        ("YESTERDAY", 0, "2026-03-17", "2026-03-18"),
        ("LAST_N_DAYS", 7, "2026-03-11", "2026-03-19"),
        ("NEXT_N_DAYS", 2, "2026-03-19", "2026-03-21"),
        ("THIS_WEEK", 0, "2026-03-15", "2026-03-22"),
        ("LAST_WEEK", 0, "2026-03-08", "2026-03-15"),
        ("THIS_MONTH", 0, "2026-03-01", "2026-04-01"),
        ("LAST_MONTH", 0, "2026-02-01", "2026-03-01"),
        ("LAST_N_MONTHS", 3, "2025-12-01", "2026-03-01"),
        ("NEXT_QUARTER", 0, "2026-04-01", "2026-07-01"),
        ("LAST_YEAR", 0, "2025-01-01", "2026-01-01"),
        ("N_DAYS_AGO", 1, "2026-03-17", "2026-03-18"),
        ("LAST_90_DAYS", 0, "2025-12-18", "2026-03-19"),
    ],
)
def test_date_literals_are_ranges_of_days(name: str, number: int, first: str, after: str) -> None:
    """A date literal is a range of whole days; weeks begin on Sunday."""
    days = bounds(DateRange(name, number), datetime(2026, 3, 18, 12, tzinfo=UTC))
    assert tuple(day.isoformat() for day in days) == (first, after)
