"""Compare an answer with the expected part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def like(actual: Any, expected: Any) -> bool:
    """
    Return whether an answer contains the expected values.

    An object must have the expected keys, a list each expected item, and an expected type stands for any value of it.
    """
    if isinstance(expected, type):
        return isinstance(actual, expected)
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            like(actual.get(key), expected_part) for key, expected_part in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(
                like(actual_part, expected_part) for actual_part, expected_part in zip(actual, expected, strict=True)
            )
        )
    return bool(actual == expected) and isinstance(actual, bool) == isinstance(expected, bool)
