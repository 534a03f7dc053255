"""Convert the errors of a model to messages with positions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, get_args, get_origin

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.did_you_mean import find_nearest_name, format_choices, format_value
from sfcode.config.document import Document, PathProblem
from sfcode.config.fields import FieldInfo
from sfcode.mapping.place import ConfigPath

_CURLY_QUOTES = re.compile("[\u201c\u201d\u201e\u2018\u2019](.*)[\u201c\u201d\u2018\u2019]", re.DOTALL)
_YAML_1_1_ON = ("true", "yes")

Details = dict[str, Any]
Words = Callable[[Details, ConfigPath, str], tuple[str, str]]
"""Returns message and hint. The arguments are an error, the path of the entry, and the text of the entry in the file."""


def translate_error(error: Details, document: Document, model: type[Model]) -> PathProblem:
    """Convert one error of a model to a problem of an entry."""
    path, of_key = locate_error(error, document)
    kind = error["type"]
    if kind == "missing":
        return _explain_missing(tuple(error["loc"]), model)
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if path[-1:] == ("outbound_secret",):
        return PathProblem(path, *_WRITTEN_SECRET)
    if isinstance(error["input"], str) and (text := _CURLY_QUOTES.fullmatch(error["input"])):
        message = f"{format_value(error['input'])} has curly quotes, which YAML reads as part of the text"
        return PathProblem(path, message, f'use straight quotes: "{text[1]}"', at="key" if of_key else "value")
    words = _TRANSLATIONS.get(kind, _explain_other)
    message, hint = words(error, path, document.source(path))
    return PathProblem(path, message, hint, at="key" if of_key else "value")


def locate_error(error: Details, document: Document) -> tuple[ConfigPath, bool]:
    """Return the entry of an error, and whether the error concerns the key."""
    path = tuple(error["loc"])
    of_key = path[-1:] == ("[key]",)
    path = path[:-1] if of_key else path
    if error["type"] != "missing":
        while path and not document.has(*path):
            path = path[:-1]
    return path, of_key


def _explain_missing(path: ConfigPath, model: type[Model]) -> PathProblem:
    key = str(path[-1])
    info = _fields(model, path[:-1]).get(key)
    hint = f"add the key {key}"
    if info and info.examples and not isinstance(info.examples[0], dict | list):
        hint += f", for example `{key}: {_yaml(info.examples[0])}`"
    elif info and info.description:
        hint += f": {info.description[0].lower()}{info.description[1:].rstrip('.')}"
    return PathProblem(path, "missing", hint, at="key")


def _yaml(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) and value[:1] in "@{" else str(value)


def _unknown_key(path: ConfigPath, model: type[Model]) -> PathProblem:
    key, fields = str(path[-1]), _fields(model, path[:-1])
    if key.lower() in _YAML_1_1_ON and "on" in fields:
        hint = "write on: a program that reads YAML 1.1 has converted this key to a boolean"
        return PathProblem(path, "unknown key", hint, at="key", instead=(*path[:-1], "on"))
    nearest = find_nearest_name(key, fields)
    instead = (*path[:-1], nearest) if nearest else ()
    return PathProblem(path, "unknown key", f"write {format_choices(key, fields)}", at="key", instead=instead)


def _fields(model: type[Model], path: ConfigPath) -> dict[str, FieldInfo]:
    """List the allowed keys at a path, by their names in files."""
    annotation: Any = model
    for part in path:
        annotation = _models_in(annotation)
        if isinstance(annotation, type) and issubclass(annotation, Model):
            types = zip(_keys(annotation), annotation.model_annotations().values(), strict=True)
            annotation = next((type_ for key, type_ in types if key == part), None)
        elif get_origin(annotation) in (dict, tuple):
            annotation = get_args(annotation)[get_origin(annotation) is dict]
    annotation = _models_in(annotation)
    return _keys(annotation) if isinstance(annotation, type) and issubclass(annotation, Model) else {}


def _keys(model: type[Model]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> Any:
    """List the models of an annotation such as `X | None`."""
    if hasattr(annotation, "__metadata__"):
        return _models_in(annotation.__origin__)
    inner = [kind for kind in get_args(annotation) if kind is not type(None)]
    return inner[0] if type(None) in get_args(annotation) else annotation


def _explain_expected(description: str) -> Words:
    def words(error: Details, _path: ConfigPath, source: str) -> tuple[str, str]:
        value = error["input"]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        description_of_value = f"the number {source}" if number else format_value(value)
        return f"expected {description}, found {description_of_value}", _type_hint(description, value, source)

    return words


def _type_hint(description: str, value: object, source: str) -> str:
    scalar = isinstance(value, str | int | float)
    if description == "text" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{source}"'
    if description == "true or false" and isinstance(value, str):
        return "write true or false, without quotes"
    if description == "a list" and scalar:
        return f"write [{value}]"
    return {"keys and values": "write `key: value` lines below it"}.get(description, f"write {description}")


def _literal(error: Details, path: ConfigPath, _source: str) -> tuple[str, str]:
    allowed = [str(choice) for choice in error["ctx"]["expected"]]
    value = error["input"]
    noun = "event" if path[-2:-1] in (("activities",), ("properties",)) else "value"
    choice = format_choices(value, allowed) if isinstance(value, str) else "one of: " + ", ".join(allowed)
    return f"unknown {noun} {format_value(value)}", f"write {choice}"


def _pattern(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    message, hint = names.WORDS[error["ctx"]["pattern"]]
    return f"{format_value(error['input'])} {message}", hint


def _too_long(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    limit, length = error["ctx"]["max_length"], len(error["input"])
    return f"{format_value(error['input'])} is {length} characters long, more than {limit}", "shorten it"


def _too_short(_error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    return "is empty", "write at least one entry"


def _out_of_bounds(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    bounds = error["ctx"]
    least = "ge" in bounds
    limit = bounds["ge" if least else "le"]
    return (
        f"{format_value(error['input'])} is {'less' if least else 'more'} than {limit}",
        f"write at {'least' if least else 'most'} {limit}",
    )


def _version(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    return (
        f"{format_value(error['input'])} is not a version of the mapping language that this sfcode knows",
        "write 1, or update sfcode",
    )


def _limit(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    return (
        f"{format_value(error['input'])} is not a limit",
        "write a whole number such as 3, or a percentage such as 25%",
    )


def _activity(_error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    return "must be one event", "write each event as a separate item: `- flow_completed: {flow: [Onboarding]}`"


def _condition(_error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    return "must be one condition", "write one of: a value, a list of values, {not: ...}, {blank: true}"


def _certificate(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    # The value may be a private key, so it is not shown.
    hint = "create one with: openssl req -x509 -newkey rsa:2048 -nodes -keyout relay.key -out relay.crt -days 365"
    return error["ctx"]["what"], f"{hint}; then paste relay.crt here"


def _url(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    # A URL may contain a password, which must not be printed.
    description = "the address" if any(sign in error["input"] for sign in "@?#") else format_value(error["input"])
    return f"{description} {error['ctx']['what']}", error["ctx"]["hint"]


def _explain_other(error: Details, _path: ConfigPath, _source: str) -> tuple[str, str]:
    return f"{format_value(error['input'])}: {error['msg']}", "see docs/reference/mapping-language.md"


_WRITTEN_SECRET = (
    "is not the name of a secret",
    "write ${secret:NAME}; put the value into the environment variable NAME, and into no file",
)
_TRANSLATIONS: dict[str, Words] = {
    "string_type": _explain_expected("text"),
    "bool_type": _explain_expected("true or false"),
    "int_type": _explain_expected("a whole number"),
    "greater_than_equal": _out_of_bounds,
    "less_than_equal": _out_of_bounds,
    "tuple_type": _explain_expected("a list"),
    "dict_type": _explain_expected("keys and values"),
    "model_type": _explain_expected("keys and values"),
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "string_too_long": _too_long,
    "too_short": _too_short,
    "version": _version,
    "scalar": _explain_expected("a text, a number, or true or false"),
    "limit": _limit,
    "activity": _activity,
    "condition": _condition,
    "certificate": _certificate,
    "url": _url,
}
