"""Count the records of each role (the recipe `role_onboarding`). Values that few records share are not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sfcode.checks.doctor.facts import MOST_GROUPS, FieldFacts, RoleCounts, Unknown, find_too_many
from sfcode.mapping.conditions import and_where
from sfcode.mapping.resolved import FieldUse, ResolvedMapping
from sfcode.mapping.value_map import ValueMap
from sfcode.org import Org

MOST_NAMED = 5
SHARED_BY = 5
"""The number of records that must share a value before it is shown, since a rare title may identify a person."""
_GROUPABLE = frozenset({"string", "picklist", "boolean", "email", "phone", "url", "int", "combobox"})


def count_roles(mapping: ResolvedMapping, attribute: str, field: FieldFacts, org: Org) -> RoleCounts | Unknown | None:
    """Count the records of a mapping by the value of an attribute; None if the mapping does not send it."""
    use = next((use for use in mapping.attributes if use.attribute == attribute and use.values), None)
    if use is None or use.values is None:
        return None
    if not field.visible:
        return Unknown(f"the signed-in user does not see {mapping.object}.{use.field}")
    # Names are those of the config, which allows letters, digits and underscores only.
    if field.type in _GROUPABLE and not field.formula:
        records = f"SELECT {use.field}, COUNT(Id) records FROM {mapping.object} WHERE {mapping.id_condition}"  # noqa: S608
        query = and_where(records, mapping.where)
        rows = org.query(f"{query} GROUP BY {use.field} ORDER BY COUNT(Id) DESC LIMIT {MOST_GROUPS}")
        values = [(row[use.field], int(row["records"])) for row in rows]
        return _tally(use.values, values, complete=len(rows) < MOST_GROUPS)
    total = org.count(and_where(f"SELECT COUNT() FROM {mapping.object} WHERE {mapping.id_condition}", mapping.where))  # noqa: S608
    if too_many := find_too_many(total):
        return too_many
    return _tally(use.values, _read_values(mapping, use, org), complete=True)


def _read_values(mapping: ResolvedMapping, use: FieldUse, org: Org) -> Iterable[tuple[object, int]]:
    query = and_where(f"SELECT {use.field} FROM {mapping.object} WHERE {mapping.id_condition}", mapping.where)  # noqa: S608
    return ((row[use.field], 1) for row in org.query(query))


def _tally(values: ValueMap, value_counts: Iterable[tuple[object, int]], *, complete: bool) -> RoleCounts:
    roles: Counter[str] = Counter()
    unlisted: Counter[str] = Counter()
    blank = 0
    for value, records in value_counts:
        text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        if not text:
            blank += records
        elif (role := values.translate(text)) is not None:
            roles[str(role).lower() if isinstance(role, bool) else str(role)] += records
        if text and not values.lists(text):
            unlisted[text] += records
    examples = [text for text, records in unlisted.most_common(MOST_NAMED) if records >= SHARED_BY]
    unlisted_count = sum(unlisted.values()) if values.default is None else 0
    return RoleCounts(dict(roles.most_common()), blank, unlisted_count, tuple(examples), complete)
