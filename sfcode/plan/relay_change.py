"""The change of the relay's config: as recorded by the last apply, and as in the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from sfcode.config.relay_config import digest_relay_config
from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Body, Value


class SettingChange(NamedTuple):
    """A setting of the relay that differs; None for a missing value."""

    path: str
    before: Value
    after: Value


@dataclass(frozen=True)
class RelayChange:
    """
    The relay's config before and after.

    An apply only records the config in the org. The relay loads it from its own copy of the project.
    """

    before: Body | None
    """The relay's config at the last apply; None if none is recorded."""
    after: Body | None
    """The relay's config of the project; None if no mapping uses the relay."""

    @cached_property
    def settings(self) -> tuple[SettingChange, ...]:
        """The settings that differ, by path; () if no config is recorded, since then all settings are new."""
        if self.before is None:
            return ()
        return tuple(_compare((), dict(self.before), dict(self.after or {})))

    @property
    def digests(self) -> tuple[str, str]:
        """The digests of both sides; "" for none."""
        return digest_relay_config(self.before), digest_relay_config(self.after)


def _compare(path: tuple[str, ...], before: Value, after: Value) -> Iterator[SettingChange]:
    """Compare leaf by leaf, case-sensitively, since attributes in Appcues are case-sensitive."""
    before_entries, after_entries = _entries(before), _entries(after)
    if before_entries is None and after_entries is None:
        if before != after:
            yield SettingChange(".".join(path), before, after)
        return
    for name in sorted({*(before_entries or {}), *(after_entries or {})}):
        yield from _compare((*path, name), (before_entries or {}).get(name), (after_entries or {}).get(name))


def _entries(value: Value) -> Mapping[str, Value] | None:
    return value if isinstance(value, dict) and value else None
