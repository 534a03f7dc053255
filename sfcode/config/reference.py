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

`make docs` generates this page from the models in `sfcode/config/*models.py`. `sfcode schema` prints the same as JSON
Schema, which editors use.

A project's config folder holds four kinds of files:

| file | content |
| --- | --- |
| [`sfcode.yaml`](#sfcodeyaml) | settings: integration user, Appcues account, relay, environments |
| [`mappings/NAME.yaml`](#mappingsnameyaml) | the data that one Salesforce object exchanges with Appcues; NAME becomes part of names in Salesforce |
| [`events.yaml`](#eventsyaml) | the texts of the activities that Appcues events become; optional |
| [`recipes.yaml`](#recipesyaml) | use cases with their own fields, objects and reports; optional |

The files are YAML 1.2: only `true` and `false` are truth values, so `on` and `no` need no quotes.
Unknown keys, duplicate keys, merge keys (`<<`) and tags are errors; anchors and aliases are allowed.
Every problem of every file is reported in one run, as `file:line:column: path: what is wrong; what to do`.

## Variables and secrets

In a value, `${name}` is replaced by the variable of the selected environment (`--env`, `SFCODE_ENV`).
`${secret:NAME}` stands for the environment variable NAME of the process. It remains a placeholder
in plans, state and reports; sfcode inserts the value only when it sends a package. Write `$${` for a literal `${`.
Variables are not replaced in keys and under `environments`; the variables of an environment may contain secrets.

## Overrides

Use variables for texts that differ between environments. All other differences are under `overrides` of the environment, by file:

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

Keys are merged with those of the file, any other value (also a list) is replaced as a whole, and `null` removes a key. The rules of the file
apply to the result, and messages and reports name the line of the override. `version` and `environments` cannot be overridden.
Editors complete and check the keys of overrides, because the JSON Schema of `sfcode.yaml` describes them.
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
        yield "A text is the short form of `field`.\n"
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
