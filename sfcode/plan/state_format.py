"""
Convert the applied state to and from the file of a static resource: a JSON document with compressed parts.

Each apply of the history is a separate part. The oldest are left out if the file would exceed `STATE_SIZE`.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sfcode.errors import OrgError
from sfcode.mapping.limits import STATIC_RESOURCE_SIZE
from sfcode.metadata.component import Address, Component
from sfcode.plan.signature import encode_parts
from sfcode.plan.state import HISTORY, Applied, Past

if TYPE_CHECKING:  # slow to import, and needed at run time only by `sfcode schema`
    from sfcode.plan.state_types import AppliedChange, ReadableState, StateContent, StoredState

FORMAT_VERSION: Final = 2
READABLE_VERSION: Final = 1
"""The version in which the state is one uncompressed document."""

STATE_DESCRIPTION = "What sfcode last applied here. Written by sfcode apply; do not edit."

_PUNCTUATION = len('    "",\n')
"""Overhead of one apply of the history, in bytes."""

STATE_SIZE = 1_000_000
"""The size of the file in bytes up to which history is added; the last apply is kept up to the limit of a static
resource."""

MOST_BYTES = 500_000_000
"""The largest size of a decompressed part in bytes, against decompression bombs."""


def state_text(applied: Applied) -> str:
    """Format the state as the text of the static resource, with as much history as there is room for."""
    document = _compress_state(applied)
    return _to_json({**document, "history": document["history"][: _count_kept(document)]})


def measure_state(applied: Applied) -> tuple[int, int]:
    """Return the size of a state without history in bytes, and the number of applies that it has room for."""
    document = _compress_state(applied)
    return _size(document), _count_kept(document)


def readable_text(applied: Applied) -> str:
    """Format the state for people and for digests, as one uncompressed document."""
    document: ReadableState = {
        "format_version": READABLE_VERSION,
        **_content(applied),
        "history": _history(applied),
    }
    return _to_json(document)


def to_component(address: Address, applied: Applied, format_state: Callable[[Applied], str] = state_text) -> Component:
    """Convert the state to the static resource at an address."""
    return Component(
        address.type,
        address.full_name,
        {
            "cacheControl": "Private",
            "content": base64.b64encode(format_state(applied).encode()).decode("ascii"),
            "contentType": "application/json",
            "description": STATE_DESCRIPTION,
        },
    )


def from_component(component: Component | None) -> Applied:
    """Parse the state; empty if there is none. Raises OrgError if it is unreadable."""
    if component is None:
        return Applied()
    try:
        document = json.loads(base64.b64decode(str(component.body.get("content", "")), validate=True))
        if document["format_version"] not in {READABLE_VERSION, FORMAT_VERSION}:
            raise OrgError(
                f"{component.address} has format {document['format_version']}, this sfcode reads {FORMAT_VERSION}",
                "Use the sfcode version that wrote it, or a newer one.",
            )
        if document["format_version"] == FORMAT_VERSION:
            document |= _decompress(document["content"])
            document["history"] = list(map(_decompress, document["history"]))
        return _read(document)
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise OrgError(
            f"{component.address} does not contain sfcode's state ({type(error).__name__})",
            "It was overwritten. Delete that static resource; `sfcode plan --adopt-managed` then finds the components that it listed.",
        ) from error


def _compress_state(applied: Applied) -> StoredState:
    return {
        "format_version": FORMAT_VERSION,
        "project": applied.project,
        "revision": applied.revision,
        "applied_by": applied.applied_by,
        "applied_at": applied.applied_at,
        "org_id": applied.org_id,
        "content": _compress(_content(applied)),
        "history": list(map(_compress, _history(applied))),
    }


def _size(document: StoredState) -> int:
    return len(_to_json({**document, "history": []}).encode())


def _count_kept(document: StoredState) -> int:
    """Count the applies that there is room for, newest first: the last one up to the platform's limit, others up to `STATE_SIZE`."""
    size, count = _size(document), 0
    for part in document["history"]:
        size += len(part) + _PUNCTUATION
        if size > (STATE_SIZE if count else STATIC_RESOURCE_SIZE):
            break
        count += 1
    return count


def _content(applied: Applied) -> StateContent:
    return {
        "project": applied.project,
        "revision": applied.revision,
        "applied_by": applied.applied_by,
        "applied_at": applied.applied_at,
        "config_digest": applied.config_digest,
        "org_id": applied.org_id,
        "secrets": dict(applied.secrets),
        "renaming": [[str(former), str(present)] for former, present in applied.renaming],
        "told": sorted(applied.printed_steps),
        "relay": dict(applied.relay) if applied.relay is not None else None,
        "records": {str(address): dict(body) for address, body in sorted(applied.records.items())},
        "components": {str(address): dict(body) for address, body in sorted(applied.components.items())},
    }


def _history(applied: Applied) -> list[AppliedChange]:
    return [_past(past) for past in applied.history[:HISTORY]]


def _past(past: Past) -> AppliedChange:
    return {
        "id": past.id,
        "applied_at": past.applied_at,
        "applied_by": past.applied_by,
        "revision": past.revision,
        "before": {str(address): None if body is None else dict(body) for address, body in sorted(past.before.items())},
        "owned": _texts(past.owned),
        "drifted": _texts(past.drifted),
        "moves": {str(present): str(former) for present, former in sorted(past.moves.items())},
        "project": past.project,
    }


def _read(document: Mapping[str, Any]) -> Applied:
    return Applied(
        components={Address.parse(key): body for key, body in document["components"].items()},
        project=document.get("project"),
        revision=document["revision"],
        applied_by=document["applied_by"],
        applied_at=document["applied_at"],
        config_digest=document["config_digest"],
        secrets=document["secrets"],
        history=tuple(_read_past(past) for past in document["history"]),
        org_id=document.get("org_id"),
        records={Address.parse(key): body for key, body in document.get("records", {}).items()},
        renaming=tuple(
            (Address.parse(former), Address.parse(present)) for former, present in document.get("renaming", ())
        ),
        printed_steps=tuple(document.get("told", ())),
        relay=document.get("relay"),
    )


def _read_past(content: Mapping[str, Any]) -> Past:
    return Past(
        id=content["id"],
        applied_at=content["applied_at"],
        applied_by=content["applied_by"],
        revision=content["revision"],
        before={Address.parse(address): body for address, body in content["before"].items()},
        owned=frozenset(map(Address.parse, content["owned"])),
        drifted=frozenset(map(Address.parse, content.get("drifted", ()))),
        moves={Address.parse(present): Address.parse(former) for present, former in content.get("moves", {}).items()},
        project=content.get("project"),
    )


def _texts(addresses: Iterable[Address]) -> list[str]:
    return sorted(map(str, addresses))


def _to_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _compress(part: Mapping[str, Any]) -> str:
    compressor = zlib.compressobj()
    compressed = b"".join([*map(compressor.compress, encode_parts(part)), compressor.flush()])
    return base64.b64encode(compressed).decode("ascii")


def _decompress(text: str) -> dict[str, Any]:
    decompressor = zlib.decompressobj()
    data = decompressor.decompress(base64.b64decode(text, validate=True), MOST_BYTES)
    if not decompressor.eof:
        raise ValueError("a compressed part is incomplete or too large")
    part: dict[str, Any] = json.loads(data)
    return part
