"""
Render the reference of the mapping language as a Markdown page from the models.

    python -m sfcode.config.reference > docs/reference/mapping-language.md
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from sfcode.config.base import Model
from sfcode.config.event_models import Events
from sfcode.config.fields import FieldInfo, JsonValue
from sfcode.config.mapping_models import Mapping, Shorthand
from sfcode.config.models import Settings
from sfcode.config.recipe_models import Recipes

INTRODUCTION = """\
# The mapping language

This page is made from the models in `sfcode/config/*models.py` by `python -m sfcode.config.reference`;
a test fails when it is stale. `sfcode schema` prints the same as JSON Schema, which editors use.

A project's config folder holds four kinds of files:

| file | says |
| --- | --- |
| [`sfcode.yaml`](#sfcodeyaml) | settings: integration user, Appcues account, relay, environments |
| [`mappings/NAME.yaml`](#mappingsnameyaml) | what one Salesforce object exchanges with Appcues; NAME becomes part of names in Salesforce |
| [`events.yaml`](#eventsyaml) | the texts of the activities that Appcues events become; may be left out |
| [`recipes.yaml`](#recipesyaml) | use cases with their own fields, objects and reports; may be left out |

The files are YAML 1.2: only `true` and `false` are truth values, so `on` and `no` need no quotes.
Unknown keys, keys written twice, merge keys (`<<`) and tags are errors; anchors and aliases are fine.
Every problem of every file is reported in one run, as `file:line:column: path: what is wrong; what to do`.

## Variables and secrets

Values may hold `${name}`, which is replaced by the variable of the chosen environment (`--env`, `SFCODE_ENV`),
and `${secret:NAME}`, which stands for the environment variable NAME of the process: it stays a placeholder
in plans, state and reports, and the value is put in only when a package is sent. `$${` stands for `${` itself.
Variables are not replaced in keys, nor under `environments`, whose variables may hold secrets all the same.

## Overrides

What differs between environments and is no text stands under `overrides` of the environment, by file:

```yaml
environments:
  sandbox:
    org: alias:uat
    overrides:
      sfcode.yaml:
        integration_user: {record_access: view_all}
      mappings/contact.yaml:
        to_appcues:
          attributes:
            plan: Tier__c        # another field in this org
            team: null           # not sent from here
```

Keys are merged with those of the file, any other value (also a list) is replaced as a whole, and `null` removes a key. The result
obeys the rules of the file, and messages and reports name the line of the override. `version` and `environments` are the same everywhere.
Editors complete and check the keys: the JSON Schema of `sfcode.yaml` describes overrides as it describes the files.
"""

_SIMPLE = {str: "text", bool: "`true` or `false`", int: "number", float: "number"}


def render_reference() -> str:
    """Render the page."""
    parts = [INTRODUCTION]
    for title, model in (
        ("sfcode.yaml", Settings),
        ("mappings/NAME.yaml", Mapping),
        ("events.yaml", Events),
        ("recipes.yaml", Recipes),
    ):
        parts.extend(_sections(f"## {title}", model, ""))
    return "\n".join(parts)


def _sections(heading: str, model: type[Model], path: str) -> Iterator[str]:
    """Describe a model, then the models that it contains."""
    yield f"{heading}\n\n{inspect.cleandoc(model.__doc__ or '')}\n"
    if issubclass(model, Shorthand):
        yield "Written as text alone, it is the `field`.\n"
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for key, info, annotation in _fields(model):
        cells = (f"`{key}`", _value(annotation), _default(info), info.description or "")
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    yield "\n".join(rows) + "\n"
    for key, _, annotation in _fields(model):
        inner, below = _model_in(annotation, f"{path}.{key}" if path else key)
        if inner:
            yield from _sections(f"### `{below}`", inner, below)


def _fields(model: type[Model]) -> list[tuple[str, FieldInfo, Any]]:
    annotations = model.model_annotations()
    return [(info.alias or name, info, annotations[name]) for name, info in model.model_fields.items()]


def _model_in(annotation: Any, path: str) -> tuple[type[Model] | None, str]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation, path
    if get_origin(annotation) is dict:
        return _model_in(get_args(annotation)[1], f"{path}.NAME")
    for part in get_args(annotation) if get_origin(annotation) is not Literal else ():
        model, below = _model_in(part, path)
        if model:
            return model, below
    return None, path


def _value(annotation: Any) -> str:
    if hasattr(annotation, "__metadata__"):
        return _value(annotation.__origin__)
    arguments = [part for part in get_args(annotation) if part not in (type(None), ...)]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{part}`" for part in arguments)
    if get_origin(annotation) is tuple:
        return f"list of {_value(arguments[0])}"
    if get_origin(annotation) is dict:
        keys = _value(arguments[0]) if get_origin(arguments[0]) is Literal else "NAME"
        if arguments[1] is JsonValue:
            return "keys"
        return f"{keys}: {_value(arguments[1])}"
    if arguments:
        return " or ".join(dict.fromkeys(map(_value, arguments)))
    return _SIMPLE.get(annotation, "text or keys" if issubclass(annotation, Shorthand) else "keys")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    value = info.default
    if value is None or value in ({}, ()) or isinstance(value, Model):
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    sys.stdout.write(render_reference())
