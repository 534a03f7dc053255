"""
The JSON documents of the applied state, for `sfcode schema state`.

The file of the static resource is a `StoredState`; its compressed parts are a `StateContent` and an `AppliedChange` for each apply
of the history. `sfcode render` writes a `ReadableState`.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from sfcode.plan.document_types import Body, described

Compressed = str
"""JSON, compressed with zlib, in base64."""


@described
class AppliedChange(TypedDict):
    """One apply of the history, and the bodies that it replaced."""

    id: str
    """The ID for `sfcode rollback`."""
    applied_at: str
    """The time of the apply: UTC, ISO 8601."""
    applied_by: str
    revision: str | None
    """The git commit of the config."""
    before: dict[str, Body | None]
    """Bodies by address before the apply; null for a component that did not exist."""
    owned: list[str]
    """Addresses that were managed before the apply."""
    drifted: list[str]
    """Addresses whose components had been changed in the org before the apply."""
    moves: dict[str, str]
    """Former addresses of renames in place, by present address."""
    project: str | None


@described
class StateContent(TypedDict):
    """The state after the last apply."""

    project: str | None
    revision: str | None
    applied_by: str | None
    applied_at: str | None
    config_digest: str | None
    org_id: str | None
    """The ID of the org to which it was applied; in a new sandbox, the ID of the copied org."""
    secrets: dict[str, str]
    """Keyed fingerprints of secrets, by name."""
    renaming: list[list[str]]
    """Planned renames of an apply, as pairs of former and present address."""
    told: list[str]
    """Digests of the manual steps that were printed."""
    relay: Body | None
    """The config of the relay at the apply."""
    records: dict[str, Body]
    """Managed records by address."""
    components: dict[str, Body]
    """Managed components by address, with placeholders for secrets."""


@described
class ReadableState(StateContent):
    """The state for people, as `sfcode render` writes it."""

    format_version: Literal[1]
    history: list[AppliedChange]


@described
class StoredState(TypedDict):
    """The file of the static resource in the org."""

    format_version: Literal[2]
    project: str | None
    revision: str | None
    applied_by: str | None
    applied_at: str | None
    org_id: str | None
    content: Compressed
    """A StateContent as JSON, compressed with zlib, in base64."""
    history: list[Compressed]
    """AppliedChanges, newest first, each compressed like `content`."""


State = StoredState | ReadableState
