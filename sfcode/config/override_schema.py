"""
The JSON Schema of `environments.NAME.overrides`, derived from the schemas of the files that it overrides.

An override is merged into a file (overrides.py). So each key of the override may be missing, or null, which removes the
key from the file. Lists and single values replace those of the file, and must match the file's schema unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.config import names
from sfcode.config.files import EVENTS, RECIPES, SETTINGS
from sfcode.config.overrides import FIXED

Schema = dict[str, Any]

_ABOUT_WHOLE_FILES = frozenset(("required", "minProperties", "maxProperties", "default", "title"))
"""Keywords that are left out of an override's schema, since they hold for a whole file and not for some of its keys."""
_NOTES = ("description", "examples")
_NULL = {"type": "null"}


def add_overrides(definitions: Mapping[str, Schema], roots: Mapping[str, str]) -> dict[str, Schema]:
    """
    Return the definitions of all models, in which the overrides of an environment have the keys of the files.

    `definitions` are those of the whole mapping language, `roots` the names of the definitions of files, by kind.
    """
    overrides = _OverrideSchemas(definitions)
    files = {kind: overrides.reference(f"#/$defs/{root}") for kind, root in roots.items()}
    settings = overrides.made[_override_name(roots["sfcode"])]
    settings["properties"] = {key: value for key, value in settings["properties"].items() if key not in FIXED}
    environment = dict(definitions["Environment"])
    notes = {
        key: value for key, value in environment["properties"]["overrides"].items() if key != "additionalProperties"
    }
    described = {
        **notes,
        "properties": {
            SETTINGS: {"$ref": files["sfcode"]},
            EVENTS: {"$ref": files["events"]},
            RECIPES: {"$ref": files["recipes"]},
        },
        "patternProperties": {names.MAPPING_FILE: {"$ref": files["mapping"]}},
        "additionalProperties": False,
    }
    environment["properties"] = {**environment["properties"], "overrides": described}
    return {**definitions, **overrides.made, "Environment": environment}


def select_reachable(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the definitions that a schema refers to, directly or through others, in their order."""
    reachable: set[str] = set()
    queue = [schema]
    while queue:
        for name in set(_list_references(queue.pop())) - reachable:
            reachable.add(name)
            queue.append(definitions[name])
    return {name: definition for name, definition in definitions.items() if name in reachable}


def _list_references(node: Any) -> Iterator[str]:
    """List the names of the definitions that a schema refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield _definition_name(node["$ref"])
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _list_references(item)


def _definition_name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _override_name(name: str) -> str:
    return f"{name}Override"


class _OverrideSchemas:
    """The definitions of overrides, made from those of files."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions
        self.made: dict[str, Schema] = {}

    def reference(self, reference: str) -> str:
        """Return the reference to the override of a definition; add the override if it does not exist yet."""
        name = _definition_name(reference)
        override = _override_name(name)
        if override not in self.made:
            self.made[override] = {}
            self.made[override] |= self._derive(self.definitions[name])
        return f"#/$defs/{override}"

    def _derive(self, schema: Schema) -> Schema:
        """Return the schema of the override for a value that matches `schema`."""
        derived = {key: value for key, value in schema.items() if key not in _ABOUT_WHOLE_FILES}
        if "$ref" in schema:
            derived["$ref"] = self.reference(schema["$ref"])
        if "anyOf" in schema:
            derived["anyOf"] = [self._derive(alternative) for alternative in schema["anyOf"]]
        for key in ("properties", "patternProperties"):
            if key in schema:
                derived[key] = {name: self._derive_nullable(value) for name, value in schema[key].items()}
        if isinstance(schema.get("additionalProperties"), dict):
            derived["additionalProperties"] = self._derive_nullable(schema["additionalProperties"])
        return derived

    def _derive_nullable(self, schema: Schema) -> Schema:
        derived = self._derive(schema)
        if _NULL in derived.get("anyOf", ()):
            return derived
        notes = {key: derived.pop(key) for key in _NOTES if key in derived}
        return {**notes, "anyOf": [derived, dict(_NULL)]}
