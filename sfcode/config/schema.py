"""The mapping language as JSON Schema (draft 2020-12), for editors and other programs."""

from __future__ import annotations

import functools
import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from sfcode.config.base import Model
from sfcode.config.event_models import Events
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Settings
from sfcode.config.override_schema import add_overrides, select_reachable
from sfcode.config.pydantic_models import pydantic_model
from sfcode.config.recipe_models import Recipes

KINDS: dict[str, type[Model]] = {"sfcode": Settings, "mapping": Mapping, "events": Events, "recipes": Recipes}
DIALECT = GenerateJsonSchema.schema_dialect

_CONSTRAINTS = ("pattern", "enum", "maxLength")
_PLACEHOLDER = {"type": "string", "pattern": r"\$\{"}


def json_schema(kind: str | None = None) -> dict[str, Any]:
    """Return the schema of one kind of file, or of a file of any kind."""
    definitions, any_kind = _describe_language()
    schema = definitions[KINDS[kind].__name__] if kind else any_kind
    reachable = select_reachable(schema, definitions)
    return {"$schema": DIALECT, **({"$defs": reachable} if reachable else {}), **schema}


def render_json_schema(kind: str | None = None) -> str:
    """Render the schema of one kind of file, or of a file of any kind, as a file."""
    return render_schema(json_schema(kind))


def render_schema(schema: dict[str, Any]) -> str:
    """Render a schema as a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


# `init` and `import` write the schema of each kind, and all kinds have the same definitions.
@functools.cache
def _describe_language() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the definitions of all kinds of files by name, and the schema of a file of any kind."""
    models: list[Any] = [(pydantic_model(model), "validation") for model in KINDS.values()]
    refs, language = models_json_schema(models, title="The files of an sfcode project")
    definitions = add_overrides(_tidy(language)["$defs"], {name: model.__name__ for name, model in KINDS.items()})
    return definitions, {"title": language["title"], "anyOf": list(refs.values())}


def _tidy(node: Any, *, literal: bool = False) -> Any:
    """
    Adapt pydantic's schema to what the loader accepts.

    Any text may contain `${variable}` instead of matching its pattern or list of values, except
    under `environments`, where variables are defined. Patterns of key names are checked too.
    Titles that only repeat a key are left out.
    """
    if isinstance(node, list):
        return [_tidy(item, literal=literal) for item in node]
    if not isinstance(node, dict):
        return node
    tidy: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "patternProperties", "$defs"):
            fixed = {name: _tidy(item, literal=literal or name == "Environment") for name, item in value.items()}
            tidy[key] = {name: _without_title(item) for name, item in fixed.items()} if key == "properties" else fixed
        elif key in ("default", "examples", "enum", "const", "not", "propertyNames"):
            tidy[key] = value
        else:
            tidy[key] = _tidy(value, literal=literal)
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    if tidy.get("type") == "string" and not literal and any(key in tidy for key in _CONSTRAINTS):
        constraints = {key: tidy.pop(key) for key in ("type", "not", *_CONSTRAINTS) if key in tidy}
        tidy["anyOf"] = [constraints, dict(_PLACEHOLDER)]
    return tidy


def _without_title(node: Any) -> Any:
    return {key: value for key, value in node.items() if key != "title"} if isinstance(node, dict) else node
