"""The columns of a query (`?columns=true`), for clients that print tables."""

from __future__ import annotations

from typing import Any

from sfcode.local.sobjects.model import NUMBER_TYPES, FieldDef, ObjectDef
from sfcode.local.soql.ast import Aggregate, AllFields, FieldRef, SoqlQuery
from sfcode.local.soql.scope import World

Json = dict[str, Any]


def columns(query: SoqlQuery, world: World) -> Json:
    """Return the columns of a query."""
    target = world.object(query.source, query.source_at)
    return {
        "columnMetadata": _columns(query, target, world),
        "entityName": target.name,
        "groupBy": bool(query.group_by),
        "idSelected": any(isinstance(item, FieldRef) and item.text.lower() == "id" for item in query.select),
        "keyPrefix": target.key_prefix or None,
    }


def _columns(query: SoqlQuery, target: ObjectDef, world: World) -> list[Json]:
    columns: list[Json] = []
    unnamed = 0
    for item in query.select:
        match item:
            case FieldRef():
                bound = world.bind(target, query.alias, item)
                names = [step.relationship for step in bound.steps]
                column = _column(bound.field.name, bound.field, aggregate=False)
                for name in reversed(names):
                    column = _column(name, None, aggregate=False) | {"joinColumns": [column]}
                columns.append(column)
            case Aggregate():
                name = item.alias or f"expr{unnamed}"
                unnamed += not item.alias
                columns.append(_column(name, None, aggregate=False) | {"aggregate": False, "numberType": True})
            case AllFields():
                columns += [_column(field.name, field, aggregate=False) for field in target.fields.values()]
            case SoqlQuery():
                relationship = world.catalog.child(target.name, item.source)
                if relationship is None:
                    raise world.no_such_relationship(item.source, "FROM part of query call", item.source_at)
                child = world.object(relationship.child, item.source_at)
                column = _column(relationship.name, None, aggregate=True)
                columns.append(column | {"joinColumns": _columns(item, child, world)})
    return columns


def _column(name: str, field: FieldDef | None, *, aggregate: bool) -> Json:
    kind = field.type if field else ""
    number, boolean = kind in NUMBER_TYPES, kind == "boolean"
    return {
        "aggregate": aggregate,
        "apexType": None,
        "booleanType": boolean,
        "columnName": name,
        "custom": bool(field and field.custom),
        "displayName": name,
        "foreignKeyName": field.relationship if field and field.relationship else None,
        "insertable": bool(field and field.createable),
        "joinColumns": [],
        "numberType": number,
        "textType": field is not None and not number and not boolean,
        "updatable": bool(field and field.updateable),
    }
