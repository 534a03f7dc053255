"""The formula language: accepted formulas, and the messages of refused ones."""

from __future__ import annotations

import pytest

from sfcode.local.formula import (
    NOT_IN_FIELDS,
    FormulaError,
    Reference,
    Type,
    check,
    formula_type,
    parse,
    references,
)
from sfcode.local.formula.tree import Constant, FunctionCall, Operation

FIELDS = {
    "Product_User_Id__c": Type.NUMBER,
    "Title": Type.TEXT,
    "Status__c": Type.PICKLIST,
    "Birthdate": Type.DATE,
    "CreatedDate": Type.DATETIME,
    "Active__c": Type.BOOLEAN,
    "$Record.Email": Type.TEXT,
    "Unknown_Type__c": None,
}


class FieldScope:
    """The scope of a formula field on an object with the fields above."""

    forbidden = NOT_IN_FIELDS

    def type_of(self, reference: Reference) -> Type | None:
        if str(reference) not in FIELDS:
            raise FormulaError(f"Field {reference} does not exist. Check spelling.")
        return FIELDS[str(reference)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('IF(ISBLANK(Product_User_Id__c), "", TEXT(Product_User_Id__c))', Type.TEXT),
        ("{!$Record.Email} <> 'a' && !Active__c || 1 == 2", Type.BOOLEAN),
        ("TODAY() - Birthdate", Type.NUMBER),
        ("CreatedDate + 1", Type.DATETIME),
        ("2 * 3 ^ 2", Type.NUMBER),
        ("Title & ' ' & TEXT(Status__c)", Type.TEXT),
        ("CASE(Status__c, 'a', 1, 'b', 2, 0)", Type.NUMBER),
        ("ISPICKVAL(Status__c, 'New')", Type.BOOLEAN),
        ('/* why */ BLANKVALUE(Title, "it\'s")', Type.TEXT),
        ("Unknown_Type__c", Type.DATE),
        ("IF(Active__c, NULL, 1)", Type.NUMBER),
        ("ROUND(Product_User_Id__c, 2)", Type.NUMBER),
        ("YEAR(DATEVALUE(CreatedDate))", Type.NUMBER),
        ("MAX(1, 2, 3, Product_User_Id__c)", Type.NUMBER),
        ("-Product_User_Id__c", Type.NUMBER),
        ("if(isblank(Title), 'x', Title)", Type.TEXT),
    ],
)
def test_valid_formulas_are_accepted(text: str, expected: Type) -> None:
    """Real orgs accept each of these formulas."""
    check(text, FieldScope(), expected)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Nope__c", "Field Nope__c does not exist. Check spelling."),
        ("NOTAFUNC(Title)", "Unknown function NOTAFUNC. Check spelling."),
        ("ISCHANGED(Title)", "Function ISCHANGED may not be used in this type of formula"),
        ('IF(Active__c, "a")', "Incorrect number of parameters for function 'IF()'. Expected 3, received 2"),
        ("LEFT(Title)", "Incorrect number of parameters for function 'LEFT()'. Expected 2, received 1"),
        ("LEN(Title, 2)", "Incorrect number of parameters for function 'LEN()'. Expected 1, received 2"),
        ("TODAY(1)", "Incorrect number of parameters for function 'TODAY()'. Expected 0, received 1"),
        (
            "TEXT(Title)",
            "Incorrect parameter type for function 'TEXT()'. Expected Number, Date, Date/Time, Time, Picklist, received Text",
        ),
        ("IF(Title, 'a', 'b')", "Incorrect parameter type for function 'IF()'. Expected Boolean, received Text"),
        ("IF(Active__c, 'a', 1)", "Incorrect parameter type for function 'IF()'. Expected Text, received Number"),
        ("Title & 1", "Incorrect parameter type for operator '&'. Expected Text, received Number"),
        ("Title = 1", "Incorrect parameter type for operator '='. Expected Text, received Number"),
        ("Title + 1", "Incorrect parameter type for operator '+'. Expected Text, received Number"),
        (
            "Status__c",
            "Field Status__c is a picklist field. Picklist fields are only supported in certain functions.",
        ),
        (
            "Status__c = 'a'",
            "Field Status__c is a picklist field. Picklist fields are only supported in certain functions.",
        ),
        (
            "Product_User_Id__c",
            "Formula result is data type (Number), incompatible with expected data type (Text).",
        ),
        ("IF(Active__c, Title, 'x'", "Syntax error. Missing ')'"),
        ("Title)", "Syntax error. Extra ')'"),
        ("Title Title", "Syntax error. Found 'Title'"),
        ("'open", "Syntax error. Found '''"),
        ("   ", "Syntax error. Found end of formula"),
        ("Title &", "Syntax error. Found end of formula"),
        ("(" * 400 + "1" + ")" * 400, "Compiled formula is too big to execute"),
        ("1" * 30_000, "Compiled formula is too big to execute"),
    ],
)
def test_problems_have_the_messages_of_the_platform(text: str, problem: str) -> None:
    """A formula that an org refuses is refused with the org's message."""
    with pytest.raises(FormulaError) as error:
        check(text, FieldScope(), Type.TEXT)
    assert str(error.value) == problem


def test_operators_bind_as_in_the_platform() -> None:
    """Multiplication has a higher precedence than the power, and operators of equal precedence group from the left."""
    two, three = Constant(2.0), Constant(3.0)
    assert parse("2 * 3 ^ 2") == Operation("^", (Operation("*", (two, three)), two))
    assert parse("2 - 3 - 2") == Operation("-", (Operation("-", (two, three)), two))


def test_references_are_found_anywhere_in_a_formula() -> None:
    """Every field is reported, in the order of the text."""
    tree = parse("IF(Account.Name = '', {!$Record.Email}, UPPER(Title))")
    assert isinstance(tree, FunctionCall)
    assert [str(reference) for reference in references(tree)] == ["Account.Name", "$Record.Email", "Title"]


def test_a_long_text_area_is_distinguished_from_a_text() -> None:
    """A describe has the type textarea for both; the length distinguishes them."""
    assert formula_type("textarea", 255) is Type.TEXT
    assert formula_type("textarea", 32_000) is Type.LONG_TEXT
