"""
Types of fields that only the org knows: read from the org, and cached in the inbox.

Messages of Salesforce contain texts only, and a value of the wrong type is hard to undo in Appcues. So a message waits
until the type of its field is cached. A cached type is used until the org reports another one, also while the org is
unreachable.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

import structlog

from sfcode.config.project import Project
from sfcode.errors import SfcodeError
from sfcode.metadata.objects import OrgSchema
from sfcode.relay.api_calls import using_api
from sfcode.relay.appcues.mapping_view import MappingView, apply_field_types, mapping_views
from sfcode.relay.background import repeat
from sfcode.relay.instrumentation import CallEvents

log = structlog.stdlib.get_logger(__name__)

POLL_SECONDS = 15.0
"""Seconds between two checks whether a message waits for a type."""
REFRESH_SECONDS = 3600.0
"""The time after which the org is queried again, since field types can change."""

FieldName = tuple[str, str]
"""The names of an object and of its field."""


class DescribeSource(Protocol):
    """An org, as the signed-in user sees it."""

    def describe(self, names: Iterable[str]) -> OrgSchema:
        """Describe objects with their fields; objects that do not exist or are not readable are left out."""


class SettingStore(Protocol):
    """Stores settings by name."""

    def remember(self, name: str, value: str) -> None:
        """Store a value."""

    def recall(self, name: str) -> str | None:
        """Return a value; None if it does not exist."""


class FieldTypeCache:
    """The mapping views of a project, with the types of all fields whose type is known."""

    def __init__(self, project: Project, settings: SettingStore) -> None:
        self._untyped = mapping_views(project)
        self._settings = settings
        self._untyped_fields = frozenset(
            (view.object, attribute.field)
            for view in self._untyped.values()
            for attribute in view.attributes
            if attribute.needs_type
        )
        self._types: dict[FieldName, str] = {}
        self._requested: set[FieldName] = set()
        self.mapping_views: Mapping[str, MappingView] = self._untyped

    @property
    def needs_org(self) -> bool:
        """Whether there are fields whose types must be read from the org."""
        return bool(self._untyped_fields)

    @property
    def missing(self) -> frozenset[FieldName]:
        """The fields whose types messages wait for."""
        return frozenset(self._requested - self._types.keys())

    def request(self, name: str, fields: Iterable[str]) -> None:
        """Request the types of an object's fields, because a message waits for them."""
        self._requested |= {(name, field) for field in fields}

    def load(self) -> None:
        """Load the types that were stored before."""
        stored = {field: self._settings.recall(_setting(field)) for field in self._untyped_fields}
        self._apply({field: type_ for field, type_ in stored.items() if type_ is not None})

    def refresh(self, org: DescribeSource) -> None:
        """Read the types from the org, and store them."""
        with using_api("field_types"):
            schema = org.describe({name for name, _ in self._untyped_fields})
        types = {
            (name, field): described.type
            for name, field in self._untyped_fields
            if name in schema.objects and (described := schema.objects[name].fields.get(field))
        }
        for field, type_ in sorted(types.items()):
            if self._types.get(field) != type_:
                self._settings.remember(_setting(field), type_)
        self._apply(types)

    def _apply(self, types: Mapping[FieldName, str]) -> None:
        self._types = {**self._types, **types}
        self.mapping_views = apply_field_types(self._untyped, self._types)


class FieldTypeRefresher:
    """Refreshes the cache until the org has answered, then hourly, and whenever a message waits for a type."""

    def __init__(
        self, cache: FieldTypeCache, instrumentation: CallEvents, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cache, self._instrumentation, self._clock = cache, instrumentation, clock
        self._refreshed_at: float | None = None
        self._reported: frozenset[FieldName] = frozenset()

    async def load(self) -> None:
        """Load the types that were stored before."""
        await asyncio.to_thread(self._cache.load)

    def use(self, cache: FieldTypeCache) -> None:
        """Refresh another cache from now on, the first time at once."""
        self._cache, self._refreshed_at = cache, None

    async def refresh_if_due(self, org: DescribeSource) -> None:
        """Read the types if it is time, and raise an alarm for fields of messages that the integration user cannot read."""
        cache = self._cache
        is_old = self._refreshed_at is None or self._clock() - self._refreshed_at >= REFRESH_SECONDS
        if not cache.needs_org or not (is_old or cache.missing):
            return
        try:
            await asyncio.to_thread(cache.refresh, org)
        except SfcodeError as error:
            log.warning("field_types_not_refreshed", exc_info=error)
            return
        except Exception:  # cached types are still used
            log.exception("field_types_not_refreshed")
            return
        self._refreshed_at = self._clock()
        missing = cache.missing
        if missing - self._reported:
            self._instrumentation.raise_alarm("field_type_unknown", _describe_missing(missing))
        self._reported = missing

    async def run(self, org: DescribeSource) -> None:
        """Run until cancelled."""
        await repeat(partial(self.refresh_if_due, org), POLL_SECONDS, "field_types_not_refreshed")


def _setting(field: FieldName) -> str:
    return f"field_type:{'.'.join(field)}"


def _describe_missing(missing: frozenset[FieldName]) -> str:
    names = ", ".join(".".join(field) for field in sorted(missing))
    return (
        f"Messages contain values of {names}, which the user that the relay signs in as cannot read. Their types "
        "are unknown, so the messages wait"
    )
