"""Declare the fields of the mapping language's models: defaults, limits, conversions, descriptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sfcode.lazy_dataclasses import dataclass

JsonValue = object
"""The type of any value that a file can contain."""

REQUIRED: Any = object()
"""The default of a required field."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldInfo:
    """The declaration of a field: its default, the limits of its value, and its description."""

    default: Any = REQUIRED
    alias: str | None = None
    """The key in files, if it differs from the attribute's name."""
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    ge: int | None = None
    le: int | None = None
    description: str | None = None
    examples: Sequence[Any] | None = None
    json_schema_extra: dict[str, Any] | None = None

    def is_required(self) -> bool:
        """Return whether the key must be written."""
        return self.default is REQUIRED


def Field(**settings: Any) -> Any:  # noqa: N802  (it stands where pydantic's does)
    """Declare a field of a model, or limit the values of an annotated type; `settings` are those of FieldInfo."""
    return FieldInfo(**settings)


class Convert:
    """An annotation with a function that converts a value before its checks, and may raise ConfigValueError."""

    def __init__(self, function: Callable[[object], object]) -> None:
        self.function = function


class JsonSchema:
    """An annotation with the JSON Schema of values that a function checks."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema


class ConfigValueError(Exception):
    """Raised for an invalid value, with the type of the error and the parameters of its message."""

    def __init__(self, type_: str, **context: str) -> None:
        super().__init__(type_)
        self.type = type_
        self.context = context
