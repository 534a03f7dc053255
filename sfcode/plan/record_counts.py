"""Count records of an org: those with values in fields that may be deleted, and those that match a mapping's `where`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sfcode.config.project import Project
from sfcode.errors import HIDDEN_CODES, OrgError
from sfcode.mapping.activities import ACTIVITY_OBJECTS
from sfcode.mapping.conditions import and_where
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Address, Component
from sfcode.org import Org
from sfcode.org.parallel import CONCURRENCY, run_parallel
from sfcode.plan.state import Applied

UNFILTERABLE = {"LongTextArea", "Html"}
"""Field types that SOQL cannot filter on, so that all values must be read."""


def count_selected(project: Project, org: Org) -> dict[str, tuple[int, int]]:
    """Count the records that match the `where` of each mapping whose fields the signed-in user can read."""

    def count(mapping: ResolvedMapping) -> tuple[int, int] | None:
        every = f"SELECT COUNT() FROM {mapping.object} WHERE {mapping.id_condition}"  # noqa: S608  (names of the config, checked there)
        try:
            return org.count(and_where(every, mapping.where)), org.count(every)
        except OrgError as error:
            if error.code not in HIDDEN_CODES:
                raise
            return None

    divided = [mapping for mapping in project.resolved if mapping.where]
    counts = run_parallel([partial(count, mapping) for mapping in divided], CONCURRENCY)
    return {mapping.name: counted for mapping, counted in zip(divided, counts, strict=True) if counted}


def count_values(org: Org, deleted: list[Component], applied: Applied) -> dict[Address, int | None]:
    """Count the records with a value in fields that may be deleted; formula fields have no stored values."""
    fields = [field for field in deleted if field.type == "CustomField" and "formula" not in field.body]
    return {field.address: _count_held(org, field, applied) for field in fields}


def _count_held(org: Org, field: Component, applied: Applied) -> int | None:
    object_name, field_name = field.full_name.split(".", 1)
    # A custom field of Activity belongs to Event and Task; Activity itself cannot be queried.
    objects = (*ACTIVITY_OBJECTS,) if object_name == "Activity" else (object_name,)
    # Names are from the org's metadata, and cannot be bound like values.
    total = 0
    try:
        for name in objects:
            if field.body.get("type") in UNFILTERABLE:
                rows = org.query(f"SELECT {field_name} FROM {name}")  # noqa: S608
                total += sum(row[field_name] is not None for row in rows)
            else:
                total += org.count(f"SELECT COUNT() FROM {name} WHERE {field_name} != NULL")  # noqa: S608
    except OrgError as error:
        if error.code == "INVALID_FIELD":
            return 0 if _is_untouched(org, objects, applied.created_at(field.address)) else None
        raise
    return total


def _is_untouched(org: Org, objects: Iterable[str], since: str | None) -> bool:
    """
    Return whether no record was written since a field was created, so that it cannot have values.

    The query needs no access to the field, which nobody has directly after the first apply.
    """
    if since is None:
        return False
    return not any(
        org.count(f"SELECT COUNT() FROM {name} WHERE SystemModstamp >= {since}")  # noqa: S608
        for name in objects
    )
