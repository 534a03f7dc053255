"""Parse JSON from outside strictly: refuse ambiguous documents, and replace characters that cannot be stored."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from sfcode.relay.ingress.limits import IngressLimits
from sfcode.relay.ingress.responses import HttpError

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Matches characters that UTF-8 cannot encode or PostgreSQL cannot store."""
REPLACEMENT = "\ufffd"


class _JsonRefusedError(ValueError):
    """Raised for a JSON document that is refused; the text is the reason."""


def loads(text: str, limits: IngressLimits) -> Any:
    """Parse JSON. Raises HttpError if it is invalid, ambiguous or beyond the limits."""

    def parse_integer(digits: str) -> int:
        if len(digits) > limits.json_digits:
            raise _JsonRefusedError("json_number")
        return int(digits)

    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite, parse_int=parse_integer
        )
    except _JsonRefusedError as error:
        raise HttpError(400, str(error)) from None
    except RecursionError:
        raise HttpError(400, "json_depth") from None
    except ValueError:
        raise HttpError(400, "not_json") from None
    _check_depth(value, limits.json_depth)
    # Only escapes can contain characters that no database stores. They are replaced, and the message is kept.
    return _replace_unstorable(value) if "\\u" in text else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _JsonRefusedError("json_duplicate_key")
    return members


def _constant(_name: str) -> NoReturn:
    raise _JsonRefusedError("json_number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _JsonRefusedError("json_number")
    return number


def _check_depth(value: Any, most: int) -> None:
    """Refuse a value that is nested too deep. Uses no recursion."""
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict | list):
                if depth == most:
                    raise HttpError(400, "json_depth")
                below.extend(node)
                below.extend(node.values() if isinstance(node, dict) else ())
        level, depth = below, depth + 1


def _replace_unstorable(value: Any) -> Any:
    """Replace characters that cannot be stored by U+FFFD, in keys too."""
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_replace_unstorable(item) for item in value]
    if isinstance(value, dict):
        return {_replace_unstorable(key): _replace_unstorable(item) for key, item in value.items()}
    return value
