"""Grouped queries: COUNT, MIN, MAX, SUM and AVG over rows that share values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sfcode.local.sobjects.model import NUMBER_TYPES, ObjectDef
from sfcode.local.soql import errors
from sfcode.local.soql.ast import Aggregate, FieldRef, Order, Query
from sfcode.local.soql.conditions import comparable
from sfcode.local.soql.order import sorted_with_nulls
from sfcode.local.soql.scope import World
from sfcode.local.store import Record, Scalar

Group = list[Record]
Value = Callable[[Group], Scalar]


def grouped(world: World, query: Query, target: ObjectDef, rows: list[Record]) -> list[dict[str, Any]]:
    """Carry out the grouping of a query: one AggregateResult for each group."""
    keys = [world.reader(world.bind(target, query.alias, ref)) for ref in query.group_by]
    groups: dict[tuple[Any, ...], Group] = {}
    for row in rows:
        groups.setdefault(tuple(comparable(key(row)) for key in keys), []).append(row)
    if not query.group_by:
        groups.setdefault((), [])
    columns = _columns(world, query, target)
    found = list(groups.values())
    for order in reversed(query.order_by):
        found = sorted_with_nulls(found, _order_key(world, query, target, order), order)
    return [
        {"attributes": {"type": "AggregateResult"}} | {name: value(group) for name, value in columns} for group in found
    ]


def _columns(world: World, query: Query, target: ObjectDef) -> list[tuple[str, Value]]:
    grouped_by = {ref.text.lower() for ref in query.group_by}
    columns: list[tuple[str, Value]] = []
    unnamed = 0
    for item in query.select:
        if isinstance(item, Aggregate):
            name = item.alias
            if not name:
                name, unnamed = f"expr{unnamed}", unnamed + 1
            columns.append((name, _function(world, query, target, item)))
        elif isinstance(item, FieldRef):
            if item.text.lower() not in grouped_by:
                raise errors.malformed(f"Field must be grouped or aggregated: {item.text}", world.text, item.at)
            columns.append((item.alias or item.path[-1], _first(world, query, target, item)))
        else:
            raise errors.malformed("a grouped query selects fields and aggregates only", world.text, query.source_at)
    return columns


def _order_key(world: World, query: Query, target: ObjectDef, order: Order) -> Callable[[Group], Any]:
    key = order.key
    value = _function(world, query, target, key) if isinstance(key, Aggregate) else _first(world, query, target, key)
    return lambda group: comparable(value(group))


def _first(world: World, query: Query, target: ObjectDef, ref: FieldRef) -> Value:
    read = world.reader(world.bind(target, query.alias, ref))
    return lambda group: read(group[0]) if group else None


def _function(world: World, query: Query, target: ObjectDef, item: Aggregate) -> Value:
    if item.field is None:
        if item.function != "COUNT":
            raise errors.malformed(f"unexpected token: '{item.function}'", world.text, item.at)
        return len
    bound = world.bind(target, query.alias, item.field)
    read = world.reader(bound)
    if item.function in ("SUM", "AVG") and bound.field.type not in NUMBER_TYPES:
        message = f"field {bound.field.name} does not support aggregate operator {item.function}"
        raise errors.malformed(message, world.text, item.at)

    def value(group: Group) -> Scalar:
        values = [each for row in group if (each := read(row)) is not None]
        match item.function:
            case "COUNT":
                return len(values)
            case "COUNT_DISTINCT":
                return len({comparable(each) for each in values})
            case "MIN" | "MAX":
                choose = min if item.function == "MIN" else max
                return choose(values, key=comparable) if values else None
            case _:
                numbers = [float(each) for each in values]
                if not numbers:
                    return None
                return sum(numbers) if item.function == "SUM" else sum(numbers) / len(numbers)

    return value
