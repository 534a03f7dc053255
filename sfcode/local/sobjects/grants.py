"""The rights of one profile or permission set, parsed once and cached."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass

MAX_CACHED = 64
"""The number of profiles and permission sets that are cached, which is enough for a few users."""
NOTHING = (False, False)

OBJECT_RIGHTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "allowRead": ("read", "Read", ()),
    "allowCreate": ("create", "Create", ("allowRead",)),
    "allowEdit": ("edit", "Edit", ("allowRead",)),
    "allowDelete": ("delete", "Delete", ("allowRead", "allowEdit")),
    "viewAllRecords": ("view_all", "View All", ("allowRead",)),
    "modifyAllRecords": ("modify_all", "Modify All", ("allowRead", "allowEdit", "allowDelete", "viewAllRecords")),
}
"""
For each element, the name of the right in messages and on the platform, and the rights that it requires.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_objectpermissions.htm
"""


@dataclass(frozen=True, slots=True)
class GrantedRights:
    """Rights by lower-case name; for a field whether it is readable, and whether it is editable."""

    user_permissions: frozenset[str]
    custom_permissions: frozenset[str]
    objects: Mapping[str, Mapping[str, Any]]
    fields: Mapping[str, tuple[bool, bool]]


@functools.lru_cache(MAX_CACHED)
def parse_rights(text: str) -> GrantedRights:
    """Parse the stored body of a profile or permission set."""
    body: Mapping[str, Any] = json.loads(text)
    fields: dict[str, tuple[bool, bool]] = {}
    for name, rights in _entries(body, "fieldPermissions"):
        edit = bool(rights.get("editable"))
        fields[name.lower()] = (edit or bool(rights.get("readable")), edit)
    return GrantedRights(
        frozenset(name for name, right in _entries(body, "userPermissions") if right.get("enabled")),
        frozenset(name for name, right in _entries(body, "customPermissions") if right.get("enabled")),
        {name.lower(): rights for name, rights in _entries(body, "objectPermissions")},
        fields,
    )


def _entries(body: Mapping[str, Any], element: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = body.get(element)
    for name, rights in entries.items() if isinstance(entries, Mapping) else ():
        if isinstance(rights, Mapping):
            yield name, rights
