"""References between the subrequests of a composite: `@{ref.id}` stands for a value of an earlier response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REFERENCE = re.compile(r"@\{([^{}]+)\}")
STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class UnresolvedError(Exception):
    """Raised for a reference to a missing value."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.text = text
        self.name = name
        """The request that it names."""


def resolve_references(value: Any, answers: Mapping[str, Any]) -> Any:
    """Replace the references in all texts of a JSON value. Raises UnresolvedError."""
    if isinstance(value, str):
        whole = REFERENCE.fullmatch(value)
        if whole:
            return _resolve(whole[1], answers)
        return REFERENCE.sub(lambda match: str(_resolve(match[1], answers)), value)
    if isinstance(value, dict):
        return {key: resolve_references(each, answers) for key, each in value.items()}
    if isinstance(value, list):
        return [resolve_references(each, answers) for each in value]
    return value


def _resolve(text: str, answers: Mapping[str, Any]) -> Any:
    steps = [name or int(number) for name, number in STEP.findall(text)]
    name = str(steps[0]) if steps else text
    if name not in answers:
        raise UnresolvedError(text, name)
    value = answers[name]
    for step in steps[1:]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise UnresolvedError(text, name) from None
    if isinstance(value, dict | list):
        raise UnresolvedError(text, name)
    return value
