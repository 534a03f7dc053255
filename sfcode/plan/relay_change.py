"""What a plan changes in the relay: the config that it works by, as the last apply recorded it and as the project has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from sfcode.config.relay_config import digest_relay_config
from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Body, Value


class SettingChange(NamedTuple):
    """A setting of the relay that differs; None is a missing value."""

    path: str
    before: Value
    after: Value


@dataclass(frozen=True)
class RelayChange:
    """
    The relay's config before and after.

    An apply records it in the org and does not carry it to the relay, which loads it from its own copy of the project.
    """

    before: Body | None
    """As the last apply recorded it; None where none did."""
    after: Body | None
    """As the project has it; None where nothing goes through the relay."""

    @cached_property
    def settings(self) -> tuple[SettingChange, ...]:
        """The settings that differ, by path; () where nothing was recorded yet, since all of it is new then."""
        if self.before is None:
            return ()
        return tuple(_compare((), dict(self.before), dict(self.after or {})))

    @property
    def digests(self) -> tuple[str, str]:
        """The digests of both sides; "" for none."""
        return digest_relay_config(self.before), digest_relay_config(self.after)


def _compare(path: tuple[str, ...], before: Value, after: Value) -> Iterator[SettingChange]:
    """Compare leaf by leaf, with regard to case: to Appcues, an attribute in another case is another one."""
    before_entries, after_entries = _entries(before), _entries(after)
    if before_entries is None and after_entries is None:
        if before != after:
            yield SettingChange(".".join(path), before, after)
        return
    for name in sorted({*(before_entries or {}), *(after_entries or {})}):
        yield from _compare((*path, name), (before_entries or {}).get(name), (after_entries or {}).get(name))


def _entries(value: Value) -> Mapping[str, Value] | None:
    return value if isinstance(value, dict) and value else None
