"""The permissions that a permission set grants, read from its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfcode.mapping.permissions import FIELD_FLAGS, OBJECT_FLAGS
from sfcode.metadata.component import Component, Value
from sfcode.metadata.normalize import normalize

Rights = dict[tuple[str, str], tuple[str, ...]]
"""Rights by kind (object, field, permission) and name."""


def rights_of(component: Component | None) -> Rights:
    """Return the permissions that the body of a permission set grants."""
    body = normalize(component).body if component else {}
    labels: Rights = {}
    for key, kind, flags in (
        ("objectPermissions", "object", OBJECT_FLAGS),
        ("fieldPermissions", "field", FIELD_FLAGS),
    ):
        for subject, granted in _entries(body.get(key)):
            labels[kind, subject] = tuple(flag.label for element, flag in flags.items() if granted.get(element) is True)
    for subject, granted in _entries(body.get("userPermissions")):
        if granted.get("enabled") is True:
            labels["permission", subject] = ("Enabled",)
    return {key: value for key, value in labels.items() if value}


def spell_as(rights: Rights, model: Rights) -> Rights:
    """Return rights with their names spelled as in `model`, since Salesforce ignores case."""
    spellings = {(kind, name.lower()): name for kind, name in model}
    return {(kind, spellings.get((kind, name.lower()), name)): granted for (kind, name), granted in rights.items()}


def _entries(value: Value) -> Iterator[tuple[str, Mapping[str, Value]]]:
    for name, entry in value.items() if isinstance(value, Mapping) else ():
        if isinstance(entry, Mapping):
            yield name, entry
