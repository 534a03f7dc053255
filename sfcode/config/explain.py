"""Say in words for people what pydantic found, at the place where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sfcode.config import names
from sfcode.config.document import Document, Finding
from sfcode.config.project import ConfigPath
from sfcode.config.suggest import one_of, show

Details = dict[str, Any]


def explain(error: Details, document: Document, model: type[BaseModel]) -> Finding:
    """Translate one pydantic error."""
    path, of_key = place(error, document)
    kind = error["type"]
    if kind == "missing":
        return _missing(tuple(error["loc"]), model)
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    words = _TRANSLATIONS.get(kind, _other)
    message, cure = words(error, path)
    return Finding(path, message, cure, at="key" if of_key else "value")


def place(error: Details, document: Document) -> tuple[ConfigPath, bool]:
    """Find the written entry that an error is about, and whether it is about the key."""
    path = tuple(error["loc"])
    of_key = path[-1:] == ("[key]",)
    path = path[:-1] if of_key else path
    if error["type"] != "missing":
        while path and not document.has(*path):
            path = path[:-1]
    return path, of_key


def _missing(path: ConfigPath, model: type[BaseModel]) -> Finding:
    key = str(path[-1])
    info = _fields(model, path[:-1]).get(key)
    cure = f"add the key {key}"
    if info and info.examples and not isinstance(info.examples[0], dict | list):
        cure += f", for example `{key}: {_yaml(info.examples[0])}`"
    elif info and info.description:
        cure += f": {info.description[0].lower()}{info.description[1:].rstrip('.')}"
    return Finding(path, "missing", cure, at="key")


def _yaml(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) and value[:1] in "@{" else str(value)


def _unknown_key(path: ConfigPath, model: type[BaseModel]) -> Finding:
    cure = f"write {one_of(str(path[-1]), _fields(model, path[:-1]))}"
    return Finding(path, "unknown key", cure, at="key")


def _fields(model: type[BaseModel], path: ConfigPath) -> dict[str, FieldInfo]:
    """List the keys that are known at a path, by the names they have in files."""
    found: Any = model
    for part in path:
        found = _models_in(found)
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = next((info.annotation for key, info in _keys(found).items() if key == part), None)
        elif get_origin(found) is dict:
            found = get_args(found)[1]
    found = _models_in(found)
    return _keys(found) if isinstance(found, type) and issubclass(found, BaseModel) else {}


def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> Any:
    """Look through `X | None`."""
    inner = [kind for kind in get_args(annotation) if kind is not type(None)]
    return inner[0] if type(None) in get_args(annotation) else annotation


def _expected(what: str) -> Callable[[Details, ConfigPath], tuple[str, str]]:
    def words(error: Details, _path: ConfigPath) -> tuple[str, str]:
        return f"expected {what}, found {show(error['input'])}", _type_cure(what, error["input"])

    return words


def _type_cure(what: str, value: object) -> str:
    scalar = isinstance(value, str | int | float)
    if what == "text" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{json.dumps(value)}"'
    if what == "true or false" and isinstance(value, str):
        return "write true or false, without quotes"
    if what == "a list" and scalar:
        return f"write [{value}]"
    return {"keys and values": "write `key: value` lines below it"}.get(what, f"write {what}")


def _literal(error: Details, path: ConfigPath) -> tuple[str, str]:
    allowed = [part.strip(" '") for part in error["ctx"]["expected"].replace(" or ", ", ").split(",")]
    value = error["input"]
    noun = "event" if path[-2:-1] in (("activities",), ("properties",)) else "value"
    choice = one_of(value, allowed) if isinstance(value, str) else "one of: " + ", ".join(allowed)
    return f"unknown {noun} {show(value)}", f"write {choice}"


def _pattern(error: Details, _path: ConfigPath) -> tuple[str, str]:
    message, cure = names.WORDS[error["ctx"]["pattern"]]
    return f"{show(error['input'])} {message}", cure


def _too_long(error: Details, _path: ConfigPath) -> tuple[str, str]:
    limit, length = error["ctx"]["max_length"], len(error["input"])
    return f"{show(error['input'])} is {length} characters long, more than {limit}", "shorten it"


def _too_short(_error: Details, _path: ConfigPath) -> tuple[str, str]:
    return "is empty", "write at least one entry, or leave the key out"


def _version(error: Details, _path: ConfigPath) -> tuple[str, str]:
    return f"{show(error['input'])} {error['msg']}", "write 1, or update sfcode"


def _url(error: Details, _path: ConfigPath) -> tuple[str, str]:
    return f"{show(error['input'])} {error['ctx']['what']}", error["ctx"]["cure"]


def _other(error: Details, _path: ConfigPath) -> tuple[str, str]:
    return f"{show(error['input'])}: {error['msg']}", "see docs/reference/mapping-language.md"


_TRANSLATIONS: dict[str, Callable[[Details, ConfigPath], tuple[str, str]]] = {
    "string_type": _expected("text"),
    "bool_type": _expected("true or false"),
    "tuple_type": _expected("a list"),
    "dict_type": _expected("keys and values"),
    "model_type": _expected("keys and values"),
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "string_too_long": _too_long,
    "too_short": _too_short,
    "version": _version,
    "url": _url,
}
