"""Run a parsed query on one state of the org."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.errors import bad_query, make_error
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.sobjects.rows import Rows
from sfcode.local.sobjects.values import record_attributes, to_api_value
from sfcode.local.soql.aggregate import group_rows, page, sorted_with_nulls
from sfcode.local.soql.ast import Aggregate, AllFields, FieldRef, Order, SoqlQuery
from sfcode.local.soql.conditions import Conditions, comparable
from sfcode.local.soql.parser import parse
from sfcode.local.soql.scope import World
from sfcode.local.store import OrgTransaction, Record, Scalar

Json = dict[str, Any]
Show = Callable[[Record], Any]
MAX_OFFSET = 2000
MAX_ALL_FIELDS = 200


@dataclass(frozen=True)
class Result:
    """The result of a query: its rows as JSON, their number, and their object."""

    records: list[Json]
    total: int
    query: SoqlQuery
    target: ObjectDef
    world: World


def run(
    text: str, tx: OrgTransaction, now: datetime, base: str, user_id: str | None = None, *, with_deleted: bool = False
) -> Result:
    """
    Run a query with the permissions of a user, or without restrictions if `user_id` is None. Raises ApiError.

    `base` is the prefix of the addresses of records: `/services/data/v62.0`.
    """
    query = parse(text)
    catalog = Catalog(tx, None if user_id is None else UserAccess(tx, user_id))
    world = World(catalog, Rows(tx, catalog, now, with_deleted=with_deleted), text)
    return Executor(world, now, base).run(query)


class Executor:
    """Runs the queries of one request."""

    def __init__(self, world: World, now: datetime, base: str) -> None:
        self._world = world
        self._now = now
        self._base = base

    def run(self, query: SoqlQuery) -> Result:
        """Run a query."""
        target = self._world.object(query.source, query.source_at)
        if query.offset > MAX_OFFSET:
            raise make_error("offset_too_large", most=MAX_OFFSET)
        aggregates = [item for item in query.select if isinstance(item, Aggregate)]
        if len(query.select) == len(aggregates) == 1 and aggregates[0].field is None and not query.group_by:
            return Result([], self._count(query, target), query, target, self._world)
        if aggregates or query.group_by or query.order_by or query.where or query.limit is None:
            rows = self._matching(query, target)
        else:
            rows = self._world.rows.first(target.name, query.offset + query.limit)
        if aggregates or query.group_by:
            conditions = Conditions(self._world, target, query.alias, self._now, self._column)
            records = page(query, group_rows(self._world, query, target, rows, conditions))
        else:
            rows = page(query, self._sort(query, target, rows))
            show = self._shape(query, target)
            records = [show(row) for row in rows]
        return Result(records, len(records), query, target, self._world)

    def _count(self, query: SoqlQuery, target: ObjectDef) -> int:
        total = self._world.rows.count(target.name) if query.where is None else None
        if total is None or query.offset or query.limit is not None:
            return len(page(query, self._matching(query, target)))
        return total

    def _matching(self, query: SoqlQuery, target: ObjectDef) -> list[Record]:
        if query.offset > MAX_OFFSET:
            raise make_error("offset_too_large", most=MAX_OFFSET)
        if query.where is None:
            return self._world.rows.all(target.name)
        conditions = Conditions(self._world, target, query.alias, self._now, self._column)
        test = conditions.test(query.where)
        first = conditions.narrow(query.where)
        rows = self._world.rows
        candidates = rows.all(target.name) if first is None else rows.find_any(target.name, first.field, first.values)
        return [row for row in candidates if test(row)]

    def _column(self, query: SoqlQuery) -> set[Scalar]:
        """Return the only column of a semi-join's subquery."""
        target = self._world.object(query.source, query.source_at)
        if len(query.select) != 1 or not isinstance(query.select[0], FieldRef):
            raise bad_query("semi join sub-selects must select one field", self._world.text, query.source_at)
        read = self._world.reader(self._world.bind(target, query.alias, query.select[0]))
        rows = self._matching(query, target)
        return {read(row) for row in page(query, self._sort(query, target, rows))}

    def _sort(self, query: SoqlQuery, target: ObjectDef, rows: list[Record]) -> list[Record]:
        sorted_rows = list(rows)
        # Sorting is stable, so the last key is sorted by first.
        for order in reversed(query.order_by):
            sorted_rows = self._sorted_by(order, query, target, sorted_rows)
        return sorted_rows

    def _sorted_by(self, order: Order, query: SoqlQuery, target: ObjectDef, rows: list[Record]) -> list[Record]:
        if isinstance(order.key, Aggregate):
            raise bad_query("only a grouped query can be sorted by an aggregate", self._world.text, order.key.at)
        bound = self._world.bind(target, query.alias, order.key)
        if not bound.field.filterable or bound.field.type == "multipicklist":
            message = f"field '{bound.field.name}' can not be sorted in a query call"
            raise bad_query(message, self._world.text, order.key.at)
        read = self._world.reader(bound)
        return sorted_with_nulls(rows, lambda row: comparable(read(row)), order)

    def _shape(self, query: SoqlQuery, target: ObjectDef) -> Show:
        """Return a function that converts a row to JSON: the selected fields, nested parents, child lists."""
        tree: dict[str, Any] = {}
        children: list[tuple[str, Show]] = []
        for item in query.select:
            match item:
                case SoqlQuery():
                    children.append(self._child(item, target))
                case AllFields():
                    for field in self._all_fields(item, query, target):
                        tree.setdefault(field.name, field)
                case FieldRef():
                    if item.alias:
                        raise bad_query("only aggregate expressions use field aliasing", self._world.text, item.at)
                    bound = self._world.bind(target, query.alias, item)
                    node = tree
                    for step in bound.steps:
                        node = node.setdefault(step.relationship, (step, {}))[1]
                    node.setdefault(bound.field.name, bound.field)
                case Aggregate():
                    raise AssertionError("aggregates are grouped")

        def show(row: Record) -> Json:
            document = self._write(target.name, tree, row)
            for name, child in children:
                document[name] = child(row)
            return document

        return show

    def _write(self, object_name: str, tree: Mapping[str, Any], row: Record) -> Json:
        document: Json = {"attributes": record_attributes(self._base, object_name, row)}
        for name, node in tree.items():
            if isinstance(node, FieldDef):
                document[name] = to_api_value(node, row)
            else:
                parent = self._world.parent(node[0], row)
                document[name] = None if parent is None else self._write(parent[0], node[1], parent[1])
        return document

    def _child(self, query: SoqlQuery, target: ObjectDef) -> tuple[str, Show]:
        relationship = self._world.catalog.child(target.name, query.source)
        if relationship is None:
            raise self._world.no_such_relationship(query.source, "FROM part of query call", query.source_at)
        child = self._world.object(relationship.child, query.source_at)
        rows = self._sort(query, child, self._matching(query, child))
        by_parent: dict[Scalar, list[Record]] = {}
        for row in rows:
            by_parent.setdefault(row.get(relationship.field), []).append(row)
        show = self._shape(query, child)

        def children(parent: Record) -> Json | None:
            details = page(query, by_parent.get(parent["Id"], []))
            if not details:
                return None
            return {"totalSize": len(details), "done": True, "records": [show(row) for row in details]}

        return relationship.name, children

    def _all_fields(self, item: AllFields, query: SoqlQuery, target: ObjectDef) -> list[FieldDef]:
        if item.which != "STANDARD" and (query.limit is None or query.limit > MAX_ALL_FIELDS):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_ALL_FIELDS}"
            raise bad_query(message, self._world.text, item.at)
        kinds = {"ALL": (True, False), "CUSTOM": (True,), "STANDARD": (False,)}.get(item.which)
        if kinds is None:
            raise bad_query(f"unexpected token: '{item.which}'", self._world.text, item.at)
        return [field for field in target.fields.values() if field.custom in kinds]
