"""Encode JSON in parts: the text of a large plan takes several times the memory of its values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

_TEXTS_PER_PART = 10_000


def encode_in_parts(value: object, *, ensure_ascii: bool = True) -> Iterator[str]:
    """Yield the indented JSON of a value in parts, each of which ends after a whole JSON string, number or sign."""
    texts = json.JSONEncoder(indent=2, ensure_ascii=ensure_ascii).iterencode(value)
    while part := "".join(islice(texts, _TEXTS_PER_PART)):
        yield part
