"""
The meaning of YAML scalars: the core schema of YAML 1.2.

PyYAML's own resolver follows YAML 1.1, where `on`, `no` and `12:30` are not text. `on` is a key of
our language, and Norway is a country.
"""

from __future__ import annotations

import re

_PREFIX = "tag:yaml.org,2002:"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_DIGITS = 400
"""The maximum number of digits; longer numbers are texts, since Python does not convert them."""

COLLECTION_TAGS = {"list": _PREFIX + "seq", "mapping": _PREFIX + "map"}


def scalar(text: str, tag: str | None, plain: bool) -> object:
    """Parse a scalar; `plain` means without quotes. Raises ValueError with the reason."""
    if tag is None:
        return _implicit(text) if plain else text
    kind = tag.removeprefix(_PREFIX)
    if tag in ("!", _PREFIX + "str"):
        return text
    kinds = {"null": type(None), "bool": bool, "int": int, "float": float}
    if kind == tag or kind not in kinds:
        raise ValueError(f"the tag {show_tag(tag)} is not supported")
    value = _implicit(text)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kinds[kind]:
        raise ValueError(f"the tag {show_tag(tag)} does not fit the value {text!r}")
    return value


def show_tag(tag: str) -> str:
    """Format a tag as in the file: `!!binary`, `!Ref`."""
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag


def _implicit(text: str) -> object:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
