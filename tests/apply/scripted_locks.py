"""An org that answers each request for a lock as a test specifies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sfcode.apply.lock import OrgLock, hold_lock
from sfcode.apply.lock_holder import Holder, describe_run
from sfcode.errors import OrgError, OrgUnreachable

START = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
DEPLOYMENT = "0Af000000000001AAA"
TAKEN = OrgError("in use", code="DUPLICATE_DEVELOPER_NAME")
BUSY = OrgError("another deployment runs", code="ALREADY_IN_PROCESS")
FORBIDDEN = OrgError("no access", code="INSUFFICIENT_ACCESS")
LOST = OrgUnreachable("no answer")
GONE = OrgError("deleted", code="ENTITY_IS_DELETED")


def row_of(holder: Holder, lock_id: str = "0811", **columns: object) -> dict[str, Any]:
    time = START.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    row = {"Id": lock_id, "Description": holder.text(), "CreatedDate": time, "LastModifiedDate": time}
    return {**row, "CreatedBy": {"Username": "me@example.com"}, **columns}


OTHER = replace(describe_run("apply"), id="1a2b3c4d", machine="another", host="ci-7", user="jane", pid=77)
ENDED = replace(describe_run("apply"), pid=2**22 + 1)


@dataclass
class ScriptedLocks:
    """An org that answers each request for the lock as a test specifies, on a clock that only sleeping advances."""

    creations: list[str | OrgError] = field(default_factory=list)
    """The answers to attempts to create the lock; the last one is repeated."""
    rows: list[dict[str, Any] | None] = field(default_factory=lambda: [None])
    """The lock at each query; the last one is repeated."""
    deletions: list[OrgError] = field(default_factory=list)
    updates: list[OrgError] = field(default_factory=list)
    status: bool | OrgError = True
    """Whether the deployment has ended."""
    seconds: float = 0.0
    time: datetime = START
    calls: list[str] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)
    """The values of the last attempt to create the lock."""
    written: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def runtime(self) -> SimpleNamespace:
        return SimpleNamespace(clock=lambda: self.seconds, now=lambda: self.seconds, sleep=self._sleep)

    @property
    def metadata(self) -> ScriptedLocks:
        return self

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def now(self) -> datetime:
        return self.time

    def deploy_status(self, deploy_id: str, *, details: bool) -> SimpleNamespace:
        assert (deploy_id, details) == (DEPLOYMENT, False)
        if isinstance(self.status, OrgError):
            raise self.status
        return SimpleNamespace(done=self.status)

    def create(self, sobject: str, values: dict[str, str]) -> str:
        assert sobject == "StaticResource"
        self.created = values
        self.calls.append(f"create {values['Name']}")
        answer = self.creations.pop(0) if len(self.creations) > 1 else self.creations[0]
        if isinstance(answer, OrgError):
            raise answer
        return answer

    def query(self, _soql: str, name: str) -> list[dict[str, Any]]:
        self.calls.append(f"query {name}")
        row = self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]
        return [row] if row else []

    def delete(self, sobject: str, lock_id: str) -> None:
        assert sobject == "StaticResource"
        self.calls.append(f"delete {lock_id}")
        if self.deletions:
            raise self.deletions.pop(0)

    def update(self, sobject: str, lock_id: str, values: dict[str, str]) -> None:
        assert (sobject, lock_id) == ("StaticResource", "0811")
        self.written.append(values["Description"])
        if self.updates:
            raise self.updates.pop(0)


def hold(org: Any, holder: Holder | None = None, *, patience: float = 0.0) -> list[str]:
    """Take the lock and release it; return the lines of progress."""
    lines: list[str] = []
    with hold_lock(org, "Test", holder or describe_run("apply"), patience=patience, report=lines.append) as lock:
        assert isinstance(lock, OrgLock)
        org.calls.append(f"hold {lock.id}")
    return lines
