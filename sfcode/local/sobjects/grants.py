"""What one profile or permission set gives, read once: its text is asked for with every request, and can be long."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEPT = 64
"""How many are remembered: as many as a few users have."""
NOTHING = (False, False)


@dataclass(frozen=True, slots=True)
class GrantedRights:
    """Rights by name in lower case; of a field whether it can be read, and whether it can be written."""

    user_permissions: frozenset[str]
    custom_permissions: frozenset[str]
    objects: Mapping[str, Mapping[str, Any]]
    fields: Mapping[str, tuple[bool, bool]]


@functools.lru_cache(KEPT)
def parse_rights(text: str) -> GrantedRights:
    """Read the stored body of a profile or of a permission set."""
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
