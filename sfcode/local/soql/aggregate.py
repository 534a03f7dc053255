"""Grouped queries: COUNT, MIN, MAX, SUM and AVG."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sfcode.local.errors import bad_query
from sfcode.local.sobjects.model import NUMBER_TYPES, ObjectDef
from sfcode.local.soql.ast import Aggregate, FieldRef, Order, SingleCondition, SoqlQuery, TotalComparison
from sfcode.local.soql.conditions import Conditions, combine, comparable, make_comparison
from sfcode.local.soql.scope import World
from sfcode.local.store import Record, Scalar

Group = list[Record]
Value = Callable[[Group], Scalar]


def group_rows(
    world: World, query: SoqlQuery, target: ObjectDef, rows: list[Record], conditions: Conditions
) -> list[dict[str, Any]]:
    """Group the rows of a query: one AggregateResult for each group that passes HAVING."""
    keys = [_key(world, query, target, ref) for ref in query.group_by]
    groups: dict[tuple[Any, ...], Group] = {}
    for row in rows:
        groups.setdefault(tuple(comparable(key(row)) for key in keys), []).append(row)
    if not query.group_by:
        groups.setdefault((), [])
    columns = _columns(world, query, target)
    selected_groups = list(groups.values())
    if query.having is not None:
        holds = combine(query.having, partial(_having, world, query, target, conditions))
        selected_groups = [group for group in selected_groups if holds(group)]
    for order in reversed(query.order_by):
        selected_groups = sorted_with_nulls(selected_groups, _order_key(world, query, target, order), order)
    head = {"attributes": {"type": "AggregateResult"}}
    return [head | {name: value(group) for name, value in columns} for group in selected_groups]


def _key(world: World, query: SoqlQuery, target: ObjectDef, ref: FieldRef) -> Callable[[Record], Scalar]:
    bound = world.bind(target, query.alias, ref)
    if not bound.field.groupable:
        raise bad_query(f"field '{ref.text}' can not be grouped in a query call", world.text, ref.at)
    return world.reader(bound)


def _having(
    world: World, query: SoqlQuery, target: ObjectDef, conditions: Conditions, condition: SingleCondition
) -> Callable[[Group], bool]:
    """Return a function that tests whether a group meets one condition of HAVING."""
    if isinstance(condition, TotalComparison):
        value, literal = _function(world, query, target, condition.total), condition.value
        if literal.kind not in ("number", "string", "boolean", "null"):
            raise bad_query("HAVING compares with plain values only", world.text, literal.at)
        holds = make_comparison(condition.operator, literal.value)  # type: ignore[arg-type]  # a range was refused above
        return lambda group: holds(value(group))
    _grouped_only(world, query, condition.field)
    test = conditions.test(condition)
    return lambda group: bool(group) and test(group[0])


def _grouped_only(world: World, query: SoqlQuery, ref: FieldRef) -> None:
    if ref.text.lower() not in {group_field.text.lower() for group_field in query.group_by}:
        raise bad_query(f"Field must be grouped or aggregated: {ref.text}", world.text, ref.at)


def _columns(world: World, query: SoqlQuery, target: ObjectDef) -> list[tuple[str, Value]]:
    columns: list[tuple[str, Value]] = []
    unnamed = 0
    for item in query.select:
        if isinstance(item, Aggregate):
            name = item.alias
            if not name:
                name, unnamed = f"expr{unnamed}", unnamed + 1
            columns.append((name, _function(world, query, target, item)))
        elif isinstance(item, FieldRef):
            _grouped_only(world, query, item)
            columns.append((item.alias or item.path[-1], _first(world, query, target, item)))
        else:
            raise bad_query("a grouped query selects fields and aggregates only", world.text, query.source_at)
    return columns


def _order_key(world: World, query: SoqlQuery, target: ObjectDef, order: Order) -> Callable[[Group], Any]:
    key = order.key
    value = _function(world, query, target, key) if isinstance(key, Aggregate) else _first(world, query, target, key)
    return lambda group: comparable(value(group))


def _first(world: World, query: SoqlQuery, target: ObjectDef, ref: FieldRef) -> Value:
    read = world.reader(world.bind(target, query.alias, ref))
    return lambda group: read(group[0]) if group else None


def _function(world: World, query: SoqlQuery, target: ObjectDef, item: Aggregate) -> Value:
    if item.field is None:
        if item.function != "COUNT":
            raise bad_query(f"unexpected token: '{item.function}'", world.text, item.at)
        return len
    if item.field.text.lower() in {entry.text.lower() for entry in query.group_by}:
        raise bad_query(f"Grouped field should not be aggregated: {item.field.text}", world.text, item.at)
    bound = world.bind(target, query.alias, item.field)
    read = world.reader(bound)
    if item.function in ("SUM", "AVG") and bound.field.type not in NUMBER_TYPES:
        message = f"field {bound.field.name} does not support aggregate operator {item.function}"
        raise bad_query(message, world.text, item.at)

    def value(group: Group) -> Scalar:
        values = [entry for row in group if (entry := read(row)) is not None]
        match item.function:
            case "COUNT":
                return len(values)
            case "COUNT_DISTINCT":
                return len({comparable(entry) for entry in values})
            case "MIN" | "MAX":
                choose = min if item.function == "MIN" else max
                return choose(values, key=comparable) if values else None
            case _:
                numbers = [float(entry) for entry in values]
                if not numbers:
                    return None
                return sum(numbers) if item.function == "SUM" else sum(numbers) / len(numbers)

    return value


T = TypeVar("T")


def sorted_with_nulls(rows: list[T], key: Callable[[T], Any], order: Order) -> list[T]:
    """Sort by one key, with nulls first or last in either direction."""
    keyed = [(key(row), row) for row in rows]
    nulls = [row for value, row in keyed if value is None]
    pairs = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=order.descending)
    sorted_rows = [row for _, row in pairs]
    return sorted_rows + nulls if order.nulls_last else nulls + sorted_rows


def page(query: SoqlQuery, rows: list[T]) -> list[T]:
    """Apply OFFSET and LIMIT."""
    end = None if query.limit is None else query.offset + query.limit
    return rows[query.offset : end]
