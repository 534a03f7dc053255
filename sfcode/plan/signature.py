"""
The seal of a saved plan: a digest of the document and of each part, and a signature if there is a key.

Without a key the seal detects accidental edits. With a key, only plans from its holders can be applied, and a
plan that was signed with another key is distinguished from one that was edited.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.errors import UsageError
from sfcode.secret import Secret

KEY = "SFCODE_PLAN_KEY"
SHORTEST = 16
SEAL = ("digest", "signature")
PARTS = "parts"

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def plan_key(environ: Mapping[str, str]) -> Secret | None:
    """Read the key for signing plans, if there is one. Raises UsageError if it is too short."""
    text = environ.get(KEY, "")
    if text and len(text) < SHORTEST:
        raise UsageError(
            f"{KEY} has fewer than {SHORTEST} characters, and could be guessed.",
            "Create one with: openssl rand -hex 32",
        )
    return Secret(text) if text else None


class EncodedChanges:
    """The canonical JSON of changes, compressed to a thirtieth of its size. Each change is encoded when it is added."""

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


def seal(document: Mapping[str, Any], key: Secret | None) -> dict[str, Any]:
    """Return a document with its seal; its `resource_changes` may be encoded."""
    content = _content(document) | {PARTS: dict(_parts(document))}
    sealed_document = content | {"digest": _digest(content)}
    return sealed_document | {"signature": {"key": _name(key), "hmac": _hmac(key, content)}} if key else sealed_document


def verify(document: Mapping[str, Any], key: Secret | None) -> str:
    """Compare a document with its seal; return why it does not match, or an empty text."""
    content = _content(document)
    signature = document.get("signature")
    if key and not signature:
        return f"the plan is not signed, and {KEY} is set"
    if key and signature:
        made_with = str(signature.get("key") if isinstance(signature, dict) else "")
        if made_with != _name(key):
            return f"the plan was signed with another key ({made_with}) than the one in {KEY} ({_name(key)})"
        if not hmac.compare_digest(str(signature.get("hmac")).encode(), _hmac(key, content).encode()):
            return f"the plan was changed after it was signed{_describe_place(document)}"
    if document.get("digest") != _digest(content):
        return f"the plan was changed after it was made{_describe_place(document)}"
    return ""


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in SEAL}


def _describe_place(document: Mapping[str, Any]) -> str:
    before, now = document.get(PARTS), dict(_parts(document))
    # An edit may also have changed the digests of the parts, which then are no evidence.
    if not isinstance(before, dict):
        return ""
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return f": {', '.join(names)}" if names else ""


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if name in {*SEAL, PARTS}:
            continue
        if isinstance(value, EncodedChanges):
            yield from value.parts.items()
        elif name == "resource_changes" and isinstance(value, list):
            yield from ((_address(change), _digest(change)[:12]) for change in value)
        else:
            yield name, _digest(value)[:12]


def _address(change: object) -> str:
    return str(change.get("address") if isinstance(change, Mapping) else change)


def _name(key: Secret) -> str:
    return hmac.new(key.reveal().encode(), b"the name of this key", hashlib.sha256).hexdigest()[:8]


def _hmac(key: Secret, content: object) -> str:
    mac = hmac.new(key.reveal().encode(), digestmod=hashlib.sha256)
    for part in encode_parts(content):
        mac.update(part)
    return mac.hexdigest()


def _digest(content: object) -> str:
    digest = hashlib.sha256()
    for part in encode_parts(content):
        digest.update(part)
    return digest.hexdigest()


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
