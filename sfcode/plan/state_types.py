"""
The shapes of the applied state, which `sfcode schema state` prints.

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
    """One apply of the history, and what it replaced."""

    id: str
    """By which `sfcode rollback` finds it."""
    applied_at: str
    """UTC, ISO 8601."""
    applied_by: str
    revision: str | None
    """The git commit of the config."""
    before: dict[str, Body | None]
    """Bodies by address before the apply; null for what was missing."""
    owned: list[str]
    """Addresses that were managed before it."""
    drifted: list[str]
    moves: dict[str, str]
    """Former addresses of what it renamed in place, by present address."""
    project: str | None


@described
class StateContent(TypedDict):
    """What the last apply left."""

    project: str | None
    revision: str | None
    applied_by: str | None
    applied_at: str | None
    config_digest: str | None
    org_id: str | None
    """Where it was applied: a sandbox holds the state of the org that it was copied from."""
    secrets: dict[str, str]
    """Keyed fingerprints of secrets, by name."""
    renaming: list[list[str]]
    """Pairs of former and present address that an apply was about to rename."""
    told: list[str]
    """Digests of the manual steps that were printed."""
    relay: Body | None
    """The config of the relay that was applied."""
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
