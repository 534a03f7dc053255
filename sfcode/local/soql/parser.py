"""Parse a query."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sfcode.local import grammars
from sfcode.local.errors import bad_query
from sfcode.local.soql.ast import (
    Aggregate,
    AllFields,
    Both,
    Comparison,
    Condition,
    DateRange,
    Either,
    FieldRef,
    Literal,
    Membership,
    Not,
    Order,
    SoqlQuery,
    TotalComparison,
)

if TYPE_CHECKING:
    from lark import Lark

MAX_LENGTH = 100_000
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@lru_cache(64)
def parse(text: str) -> SoqlQuery:
    """Parse a query, cached since clients repeat queries. Raises ApiError with the position of the error."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

    if len(text) > MAX_LENGTH:
        raise bad_query("SOQL statements cannot be longer than 100,000 characters.", text, 0)
    try:
        return _query(_grammar().parse(text).children[0])
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise bad_query("unexpected token: '<EOF>'", text, len(text)) from error
        raise bad_query(f"unexpected token: '{error.token}'", text, error.token.start_pos or 0) from error
    except UnexpectedCharacters as error:
        at = int(getattr(error, "pos_in_stream", None) or 0)
        word = re.match(r"\w+|.", text[at:], re.DOTALL)
        raise bad_query(f"unexpected token: '{word.group() if word else ''}'", text, at) from error
    except UnexpectedInput as error:
        raise bad_query("unexpected token: '<EOF>'", text, len(text)) from error
    except RecursionError as error:
        raise bad_query("the query is nested too deeply", text, 0) from error


@cache
def _grammar() -> Lark:
    return grammars.load(__package__)


def _query(tree: Any) -> SoqlQuery:
    parts: dict[str, Any] = {}
    select: list[FieldRef | Aggregate | AllFields | SoqlQuery] = []
    for child in tree.children:
        if child is None:
            continue
        if child.data == "item":
            select.append(_item(child.children[0]))
        else:
            parts[child.data] = child.children
    source, alias = parts["source"][0], parts["source"][1]
    return SoqlQuery(
        select=tuple(select),
        source=str(source),
        source_at=source.start_pos,
        alias=str(alias.children[0]) if alias is not None else "",
        where=_condition(parts["where"][0]) if "where" in parts else None,
        group_by=tuple(_field(token) for token in parts.get("group_by", ())),
        having=_condition(parts["having"][0]) if "having" in parts else None,
        order_by=tuple(_order(order) for order in parts.get("order_by", ())),
        limit=int(parts["limit"][0]) if "limit" in parts else None,
        offset=int(parts["offset"][0]) if "offset" in parts else 0,
    )


def _item(tree: Any) -> FieldRef | Aggregate | AllFields | SoqlQuery:
    if tree.data == "query":
        return _query(tree)
    if tree.data == "aggregate":
        return _aggregate(tree)
    if tree.data == "all_fields":
        return AllFields(str(tree.children[0]).upper(), tree.children[0].start_pos)
    return _field(tree.children[0], _alias(tree.children[1]))


def _aggregate(tree: Any) -> Aggregate:
    function, path, alias = tree.children
    return Aggregate(function.upper(), None if path is None else _field(path), _alias(alias), function.start_pos)


def _alias(tree: Any) -> str:
    return "" if tree is None else str(tree.children[0])


def _field(token: Any, alias: str = "") -> FieldRef:
    return FieldRef(tuple(token.split(".")), token.start_pos or 0, alias)


def _condition(tree: Any) -> Condition:
    if tree.data == "both":
        return Both(tuple(_condition(child) for child in tree.children))
    if tree.data == "either":
        return Either(tuple(_condition(child) for child in tree.children))
    if tree.data == "negated":
        return Not(_condition(tree.children[0]))
    path, operator, right = tree.children
    operator = operator.upper()
    sign = "!=" if operator == "<>" else operator
    if tree.data == "compare_total":
        function, of = path.children
        total = Aggregate(function.upper(), None if of is None else _field(of), at=function.start_pos or 0)
        return TotalComparison(total, sign, _literal(right))
    if tree.data == "compare":
        return Comparison(_field(path), sign, _literal(right, pattern=operator == "LIKE"))
    if tree.data == "not_member":
        operator = "NOT IN"
    first = right.children[0]
    if first.data == "query":
        return Membership(_field(path), operator, query=_query(first))
    return Membership(_field(path), operator, values=tuple(_literal(child) for child in right.children))


def _order(tree: Any) -> Order:
    key, direction, nulls = tree.children
    return Order(
        _aggregate(key) if key.data == "aggregate" else _field(key.children[0]),
        descending=direction is not None and direction.upper() == "DESC",
        nulls_last=nulls is not None and nulls.upper() == "LAST",
    )


def _literal(tree: Any, *, pattern: bool = False) -> Literal:
    token = tree.children[0]
    at = token.start_pos or 0
    match token.type:
        case "STRING":
            return Literal("string", _unescape(token[1:-1], pattern=pattern), at)
        case "NUMBER":
            return Literal("number", float(token), at)
        case "BOOLEAN":
            return Literal("boolean", token.upper() == "TRUE", at)
        case "NULL":
            return Literal("null", None, at)
        case "RANGE":
            name, _, number = token.upper().partition(":")
            return Literal("range", DateRange(name, int(number or 0)), at)
        case token_type:
            return Literal(token_type.lower(), str(token), at)


def _unescape(text: str, *, pattern: bool) -> str:
    """Remove backslashes; in a LIKE pattern they remain before wildcards."""

    def plain(match: re.Match[str]) -> str:
        char = match.group(1)
        if pattern and char in "%_\\":
            return match.group()
        if char[0] == "u":
            return chr(int(char[1:], 16))
        return ESCAPES.get(char, char)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", plain, text, flags=re.DOTALL)
