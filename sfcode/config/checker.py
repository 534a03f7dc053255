"""
Check values against the types of fields, and collect all errors.

An error is a dictionary: `type`, `loc` (the path to the value), `input` (the value), and `ctx` (parameters of the message).
`validation_errors` turns it into a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from sfcode.config.fields import ConfigValueError, Convert, FieldInfo, JsonValue

INVALID: Any = object()
"""The result of a check for an invalid value, for which it has added errors."""

Path = tuple[Any, ...]
Errors = list[dict[str, Any]]
Check = Callable[[Any, Path, Errors], Any]
"""Returns the checked value; for an invalid one it adds errors and returns INVALID."""

_LIMITS = ("pattern", "min_length", "max_length", "ge", "le")


def refuse(errors: Errors, type_: str, path: Path, value: object, context: object = None) -> Any:
    """Add an error, and return INVALID."""
    errors.append({"type": type_, "loc": path, "input": value, "ctx": context})
    return INVALID


def limits_of(info: FieldInfo) -> dict[str, Any]:
    """Return the limits of a field, by name."""
    return {name: limit for name in _LIMITS if (limit := getattr(info, name)) is not None}


def check_of(annotation: Any, limits: dict[str, Any]) -> Check:
    """Return the check of a type, such as `check_value` of a model; `limits` are those of the field or its annotations."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _check_annotated(arguments[0], arguments[1:], limits)
    if origin in (Union, UnionType):
        kinds = [part for part in arguments if part is not NoneType]
        # Only a Convert distinguishes kinds of values.
        return _optional(check_of(kinds[0], limits)) if len(kinds) == 1 else _accept
    if origin is Literal:
        return _literal(arguments)
    if origin is tuple:
        return _list(check_of(arguments[0], {}), limits.get("min_length", 0))
    if origin is dict:
        return _dictionary(check_of(arguments[0], {}), check_of(arguments[1], {}), limits.get("min_length", 0))
    if annotation is JsonValue:
        return _accept
    if hasattr(annotation, "check_value"):
        check: Check = annotation.check_value
        return check
    return {str: _text, bool: _truth_value, int: _whole_number}[annotation](**limits)


def _check_annotated(inner: Any, metadata: tuple[Any, ...], limits: dict[str, Any]) -> Check:
    for item in metadata:
        if isinstance(item, FieldInfo):
            limits = {**limits_of(item), **limits}
    functions = [item.function for item in metadata if isinstance(item, Convert)]
    check = check_of(inner, limits)
    for function in functions:
        check = _convert_and_check(function, check)
    return check


def _accept(value: Any, _path: Path, _errors: Errors) -> Any:
    return value


def _convert_and_check(function: Callable[[object], object], check: Check) -> Check:
    def convert(value: Any, path: Path, errors: Errors) -> Any:
        try:
            converted = function(value)
        except ConfigValueError as error:
            return refuse(errors, error.type, path, value, error.context)
        return check(converted, path, errors)

    return convert


def _optional(check: Check) -> Check:
    def check_optional(value: Any, path: Path, errors: Errors) -> Any:
        return None if value is None else check(value, path, errors)

    return check_optional


def _literal(choices: tuple[Any, ...]) -> Check:
    def check_literal(value: Any, path: Path, errors: Errors) -> Any:
        if any(value == choice and type(value) is type(choice) for choice in choices):
            return value
        return refuse(errors, "literal_error", path, value, {"expected": choices})

    return check_literal


def _list(check: Check, min_length: int) -> Check:
    def check_list(value: Any, path: Path, errors: Errors) -> Any:
        if not isinstance(value, list | tuple):
            return refuse(errors, "tuple_type", path, value)
        items = tuple(check(item, (*path, index), errors) for index, item in enumerate(value))
        valid = [item for item in items if item is not INVALID]
        if len(valid) < min_length and len(valid) == len(items):
            return refuse(errors, "too_short", path, value)
        return items if len(valid) == len(items) else INVALID

    return check_list


def _dictionary(check_key: Check, check_value: Check, min_length: int) -> Check:
    def check_dictionary(value: Any, path: Path, errors: Errors) -> Any:
        if not isinstance(value, dict):
            return refuse(errors, "dict_type", path, value)
        if len(value) < min_length:
            return refuse(errors, "too_short", path, value)
        count = len(errors)
        entries = {
            check_key(key, (*path, key, "[key]"), errors): check_value(item, (*path, key), errors)
            for key, item in value.items()
        }
        return entries if len(errors) == count else INVALID

    return check_dictionary


def _text(pattern: str | None = None, max_length: int | None = None) -> Check:
    search: Callable[[str], object] | None = None

    def check_text(value: Any, path: Path, errors: Errors) -> Any:
        nonlocal search
        if not isinstance(value, str):
            return refuse(errors, "string_type", path, value)
        if max_length is not None and len(value) > max_length:
            return refuse(errors, "string_too_long", path, value, {"max_length": max_length})
        if pattern is not None:
            search = search or _compile(pattern).search
            if not search(value):
                return refuse(errors, "string_pattern_mismatch", path, value, {"pattern": pattern})
        return value

    return check_text


def _compile(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern of `names`. Its `$` matches only the end of the text, as in JSON Schema, and not before a final line break."""
    return re.compile(f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern)


def _truth_value() -> Check:
    def check_truth_value(value: Any, path: Path, errors: Errors) -> Any:
        return value if isinstance(value, bool) else refuse(errors, "bool_type", path, value)

    return check_truth_value


def _whole_number(ge: int | None = None, le: int | None = None) -> Check:
    def check_whole_number(value: Any, path: Path, errors: Errors) -> Any:
        if type(value) is not int:
            return refuse(errors, "int_type", path, value)
        if le is not None and value > le:
            return refuse(errors, "less_than_equal", path, value, {"le": le})
        if ge is not None and value < ge:
            return refuse(errors, "greater_than_equal", path, value, {"ge": ge})
        return value

    return check_whole_number
