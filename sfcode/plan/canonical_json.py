"""The canonical JSON of large documents, in parts: the whole text would take several times the memory of what it is made from."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class EncodedChanges:
    """The canonical JSON of changes, each of which is needed only while it is added: kept compressed, to a thirtieth of its size."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        """The digest of each change by its address."""
        self._compressor = zlib.compressobj(1)
        self._compressed: list[bytes] = []

    def add(self, address: str, change: Mapping[str, Any]) -> None:
        """Add the next change."""
        text = _encode(change)
        self._compressed += map(self._compressor.compress, (b"," if self.parts else b"[", text))
        self.parts[address] = hashlib.sha256(text).hexdigest()[:12]

    def texts(self) -> Iterator[bytes]:
        """Yield the list of the changes as `encode_parts` does, after the last change was added."""
        decompressor = zlib.decompressobj()
        yield from map(decompressor.decompress, [*self._compressed, self._compressor.copy().flush()])
        yield b"]" if self.parts else b"[]"


def encode_parts(content: object, depth: int = 2) -> Iterator[bytes]:
    """Yield the canonical JSON of a document; a part is at most one item of a list or a dictionary in the document."""
    if isinstance(content, EncodedChanges):
        yield from content.texts()
    elif depth and isinstance(content, dict):
        for number, name in enumerate(sorted(content)):
            yield (b"," if number else b"{") + _encode(name) + b":"
            yield from encode_parts(content[name], depth - 1)
        yield b"}" if content else b"{}"
    elif depth and isinstance(content, list):
        for number, item in enumerate(content):
            yield b"," if number else b"["
            yield from encode_parts(item, depth - 1)
        yield b"]" if content else b"[]"
    else:
        yield _encode(content)


def _encode(content: object) -> bytes:
    return _ENCODER.encode(content).encode(errors="surrogatepass")
