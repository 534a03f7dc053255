"""Suggest similar names."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sfcode.text import printable


def format_choices(text: str, allowed: Iterable[str]) -> str:
    """List the choices, the most likely one first: `flow (or: connector, relay)`."""
    names = list(dict.fromkeys(allowed))
    near = find_nearest_name(text, names)
    if near is None:
        return "one of: " + ", ".join(names) if len(names) > 1 else names[0]
    alternatives = [name for name in names if name != near]
    return f"{near} (or: {', '.join(alternatives)})" if alternatives else near


def find_nearest_name(text: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in names}
    matches = get_close_matches(text.lower()[:80], by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None


def format_value(value: object) -> str:
    """Format a value for a message: short, on one line, as YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        text = printable(json.dumps(value, ensure_ascii=False))
        return text if len(text) <= 62 else f'{text[:58]}..."'
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "keys and values"
