"""Conditions of two mappings on one object: no record may match both."""

from __future__ import annotations

import pytest

from sfcode.diagnostics import Position
from sfcode.mapping.conditions import Condition, are_apart
from sfcode.mapping.place import Place

HERE = Place(Position("mapping.yaml", 1, 1), "where")


def is_(*values, field="A__c"):
    return Condition(field, HERE, values)


def is_not(*values, field="A__c"):
    return Condition(field, HERE, values, negated=True)


def blank(value, field="A__c"):
    return Condition(field, HERE, blank=value)


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        (is_("x"), is_("y"), True),
        (is_("x"), is_("X"), False),
        (is_("x", "y"), is_("y", "z"), False),
        (is_("x"), is_("y", field="a__C"), True),
        (is_("x"), is_("y", field="B__c"), False),
        (is_("x"), is_not("x"), True),
        (is_("x", "y"), is_not("x"), False),
        (is_not("x"), is_not("y"), False),
        (is_(True), is_(False), True),
        (is_not(True), is_not(False), True),
        (is_not(True), is_not(True), False),
        (blank(True), blank(False), True),
        (blank(True), is_("x"), True),
        (blank(True), is_not("x"), False),
        (blank(False), is_("x"), False),
        (blank(True), blank(True), False),
    ],
)
def test_two_conditions_are_disjoint_only_if_no_record_matches_both(first, second, apart) -> None:
    assert are_apart([first], [second]) is apart
    assert are_apart([second], [first]) is apart


def test_one_different_line_makes_conditions_disjoint_and_no_condition_matches_all_records() -> None:
    assert are_apart([is_("x"), is_(1, field="B__c")], [is_("x"), is_(2, field="B__c")])
    assert not are_apart([], [is_("x")])


@pytest.mark.parametrize(
    ("condition", "soql"),
    [
        (is_("it's", "a\\b"), "A__c IN ('it\\'s', 'a\\\\b')"),
        (is_not(1, 2.5), "(A__c = null OR A__c NOT IN (1, 2.5))"),
        (is_not(True), "A__c != true"),
        (is_(False), "A__c = false"),
        (is_("a\nb\rc"), "A__c IN ('a\\nb\\rc')"),
        (is_("T", field="RecordType"), "RecordType.DeveloperName IN ('T')"),
        (blank(True, field="RecordType"), "RecordTypeId = null"),
    ],
)
def test_a_condition_is_rendered_as_soql(condition, soql) -> None:
    assert condition.soql() == soql
