"""Preview a backfill: the profiles of some records, as they would be sent to Appcues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sfcode.config.project import Project
from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.conditions import and_where
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.relay.appcues.field_types import FieldTypeCache
from sfcode.relay.appcues.record_state import RecordState, read
from sfcode.relay.appcues.values import Value
from sfcode.relay.backfill.records import explain_query_error, message, select
from sfcode.relay.message import ClaimedMessage


@dataclass(frozen=True, slots=True)
class ProfilePreview:
    """The attributes of one profile; empty fields are null, and values of the wrong type are left out."""

    match: str
    id: str
    attributes: Mapping[str, Value]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BackfillPreview:
    """Some profiles of a mapping, and the number of its records."""

    mapping: str
    records: int
    profiles: tuple[ProfilePreview, ...]


class _Memory(dict[str, str]):
    """Settings in memory, for one command."""

    def recall(self, name: str) -> str | None:
        """Return a setting."""
        return self.get(name)

    def remember(self, name: str, value: str) -> None:
        """Store a setting."""
        self[name] = value


def preview(project: Project, org: Org, mapping: ResolvedMapping, limit: int) -> BackfillPreview:
    """Read the first records of a mapping. Nothing is sent or stored. Raises OrgError."""
    types = FieldTypeCache(project, _Memory())
    try:
        types.refresh(org)
        rows = org.query(f"{select(mapping)} LIMIT {limit}")
        every = f"SELECT COUNT() FROM {mapping.object} WHERE {mapping.id_condition}"  # noqa: S608 (names of the config, checked there)
        records = org.count(and_where(every, mapping.where))
    except OrgError as error:
        raise explain_query_error(mapping, error) from None
    profiles = []
    for row in rows:
        entry = message(mapping, row, "backfill")
        if entry is None:
            continue
        match, _, id_ = entry.key.partition(":")
        claimed = ClaimedMessage(
            0, entry.source, entry.message_id, entry.key, entry.kind, entry.payload, 0, datetime.now(UTC)
        )
        state = read(claimed, types.mapping_views, id_)
        if isinstance(state, RecordState):
            attributes = {**dict.fromkeys(sorted(state.empty)), **state.values}
            profiles.append(ProfilePreview(match, id_, attributes, state.bad))
    return BackfillPreview(mapping.name, records, tuple(profiles))
