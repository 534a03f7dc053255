"""The lock of a machine that was suspended: another run may have taken it over, so it is read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from sfcode.apply.lock import BEAT, OrgLock, lock_name
from sfcode.apply.lock_holder import describe_run
from sfcode.errors import OrgError, OrgUnreachable, Refused


@dataclass
class SleepyOrg:
    """An org that records the writes of the lock, on a clock that the test advances."""

    time: float = 1000.0
    writes: list[str] = field(default_factory=list)
    error: OrgError | None = None

    @property
    def runtime(self) -> SimpleNamespace:
        return SimpleNamespace(now=lambda: self.time)

    def update(self, _type: str, id_: str, values: dict[str, Any]) -> None:
        self.writes.append(f"{id_} {values['Description']}")
        if self.error:
            raise self.error


@pytest.fixture
def org() -> SleepyOrg:
    return SleepyOrg()


@pytest.fixture
def lock(org: SleepyOrg) -> Iterator[OrgLock]:
    lock = OrgLock(org, "081", describe_run("apply"))  # type: ignore[arg-type]
    yield lock
    lock._stop()


@pytest.mark.parametrize(("seconds", "writes"), [(0, 0), (2 * BEAT, 0), (2 * BEAT + 1, 1)])
def test_after_two_missed_renewals_the_lock_is_renewed_before_the_next_step(
    org: SleepyOrg, lock: OrgLock, seconds: float, writes: int
) -> None:
    org.time += seconds
    lock.confirm()
    assert len(org.writes) == writes
    lock.confirm()
    assert len(org.writes) == writes, "the renewed lock is not written again"


def test_a_lock_removed_during_the_sleep_stops_the_apply(org: SleepyOrg, lock: OrgLock) -> None:
    org.time += 3 * BEAT
    org.error = OrgError("gone", code="ENTITY_IS_DELETED")
    with pytest.raises(Refused, match="Another run has taken over the lock of this org; no further changes are made"):
        lock.confirm()


def test_a_failed_renewal_is_repeated_by_the_next_one(org: SleepyOrg, lock: OrgLock) -> None:
    org.time += 3 * BEAT
    org.error = OrgUnreachable("lost")
    lock.confirm()
    org.error = None
    lock.confirm()
    assert len(org.writes) == 2


def test_a_lock_contains_the_id_of_its_deployment(org: SleepyOrg, lock: OrgLock) -> None:
    lock.record_deployment("0Af000000000001AAA")
    lock.detach()
    assert '"deployment": "0Af000000000001AAA"' in org.writes[-1]
    assert '"detached": true' in org.writes[-1]
    count = len(org.writes)
    lock.record_deployment("0Af000000000002AAA")
    assert len(org.writes) == count, "a released lock is not written"


def test_each_project_has_its_own_lock() -> None:
    assert lock_name("Appcues") == "Appcues_sfcode_lock"
