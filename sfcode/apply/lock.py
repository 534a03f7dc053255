"""
The lock of an org: one apply at a time, on all machines.

It is a static resource with a fixed name, which an org accepts only once. It is deleted by its ID, so that a run
cannot delete a lock that another run has created since.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sfcode.apply.deploy import Progress
from sfcode.apply.lock_holder import RUNNING, Holder, LockInfo, read_holder
from sfcode.errors import OrgError, OrgUnreachable, Refused
from sfcode.org import DeployStillRunning, Org

LIFE = timedelta(minutes=10)
"""The time since its last renewal after which a lock is stale."""

BEAT = 120.0
"""Seconds between two renewals."""

PAUSE = 2.0
"""Seconds between two attempts of a waiting run."""

GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"}
"""Error codes for a record that does not exist any more."""

PASSING = {"ALREADY_IN_PROCESS", "UNABLE_TO_LOCK_ROW"}
"""Error codes of an org in which another deployment or setup change runs."""


class Lock:
    """The interface of a lock, and the lock of `--no-lock`, which does nothing."""

    def confirm(self) -> None:
        """Raise Refused if the lock was taken over."""

    def record_deployment(self, deploy_id: str) -> None:
        """Record the running deployment in the lock."""


class Locks(Lock):
    """Several locks that are held together, for a project that is being renamed."""

    def __init__(self, locks: tuple[Lock, ...]) -> None:
        self._locks = locks

    def confirm(self) -> None:
        """Raise Refused if any of the locks was taken over."""
        for lock in self._locks:
            lock.confirm()

    def record_deployment(self, deploy_id: str) -> None:
        """Record the running deployment in all locks."""
        for lock in self._locks:
            lock.record_deployment(deploy_id)


class OrgLock(Lock):
    """A held lock. A thread renews it every two minutes."""

    def __init__(self, org: Org, lock_id: str, holder: Holder) -> None:
        self.id = lock_id
        self._org = org
        self._holder = holder
        self._lost = False
        self._seen = org.runtime.now()
        self._wake, self._end = threading.Event(), threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="sfcode-lock", daemon=True)
        self._thread.start()

    def confirm(self) -> None:
        """Raise Refused if the lock was taken over."""
        if self._org.runtime.now() - self._seen > 2 * BEAT:
            self._write()  # this machine was suspended, and other runs may consider the lock expired
        if self._lost:
            raise Refused(
                "Another run has taken over the lock of this org; no further changes are made.",
                "Run `sfcode plan` to see the remaining changes.",
            )

    def record_deployment(self, deploy_id: str) -> None:
        """Record the running deployment in the lock, in the background."""
        self._holder = replace(self._holder, deployment=deploy_id)
        self._wake.set()

    def release(self, report: Progress) -> None:
        """Release the lock; if that fails, report when it expires."""
        self._stop()
        try:
            remove_lock(self._org, self.id)
        except OrgError as error:
            report(f"The lock {self.id} could not be released ({error.message}). It expires in {_minutes(LIFE)}.")

    def detach(self) -> None:
        """Leave the lock in the org for a deployment that continues, until `--attach` releases it or it expires."""
        self._stop()
        self._holder = replace(self._holder, detached=True)
        self._write()

    def _stop(self) -> None:
        self._end.set()
        self._wake.set()
        with suppress(RuntimeError):  # a signal came before the thread was started
            self._thread.join()

    def _live(self) -> None:
        while not self._lost:
            self._wake.wait(BEAT)
            self._wake.clear()
            if self._end.is_set():
                return
            self._write()

    def _write(self) -> None:
        """Renew the lock. A failure is ignored unless the lock is gone, since the lock survives until the next renewal."""
        with self._writing:
            self._holder = replace(self._holder, beat=self._holder.beat + 1)
            try:
                self._org.update("StaticResource", self.id, {"Description": self._holder.text()})
                self._seen = self._org.runtime.now()
            except OrgError as error:
                self._lost = error.code in GONE


def lock_name(identity: str) -> str:
    """Return the name of a project's lock, by the project's identity."""
    return f"{identity}_sfcode_lock"


@contextmanager
def hold_locks(
    org: Org, identities: Iterable[str], holder: Holder, *, patience: float, report: Progress
) -> Iterator[Lock]:
    """
    Hold the locks of a project under all of its identities, each like `hold_lock`.

    A project that is being renamed also has its former identity, whose lock older copies of the config use.
    """
    with ExitStack() as stack:
        locks = [
            stack.enter_context(hold_lock(org, identity, holder, patience=patience, report=report))
            for identity in sorted(identities, key=str.lower)
        ]
        yield locks[0] if len(locks) == 1 else Locks(tuple(locks))


@contextmanager
def hold_lock(org: Org, identity: str, holder: Holder, *, patience: float, report: Progress) -> Iterator[Lock]:
    """
    Hold the lock of a project in an org.

    Waits up to `patience` seconds for a lock that another run holds, then raises Refused with its holder. The lock is
    released at the end of the block, except while a deployment continues in the org without this process.
    """
    RUNNING.add(holder.id)  # before the lock exists, so that no other run considers it expired
    try:
        lock_id = _take(org, identity, holder, patience=patience, report=report)
        try:
            lock = OrgLock(org, lock_id, holder)
        except BaseException:  # a signal came before the lock could be held
            with suppress(OrgError):
                remove_lock(org, lock_id)
            raise
        yield from _hold_and_report(lock, report)
    finally:
        RUNNING.discard(holder.id)


def _hold_and_report(lock: OrgLock, report: Progress) -> Iterator[Lock]:
    try:
        yield lock
    except DeployStillRunning as running:
        lock.record_deployment(running.deploy_id)
        lock.detach()
        raise
    except BaseException:
        lock.release(report)
        raise
    lock.release(report)


def _take(org: Org, identity: str, holder: Holder, *, patience: float, report: Progress) -> str:
    """Create the lock in the org; return its ID."""
    name, runtime = lock_name(identity), org.runtime
    deadline = runtime.clock() + patience
    waiting = ""
    while True:
        refusal = _create(org, name, holder)
        if isinstance(refusal, str):
            return refusal
        current = find_lock(org, identity)
        if current is None and refusal.code not in PASSING:
            # The lock may have been released between both requests; if the org still refuses, the reason is another one.
            second_refusal = _create(org, name, holder)
            if isinstance(second_refusal, str):
                return second_refusal
            current, refusal = find_lock(org, identity), second_refusal
            if current is None and "DUPLICATE" not in second_refusal.code:
                raise _cannot_lock(name, second_refusal)
        if current and current.holder and current.holder.id == holder.id:
            return current.id  # this run created the lock, but the response was lost
        reason = explain_stale_lock(org, current) if current else ""
        if current and reason:
            report(f"Taking over the lock of {current}: {reason}")
            remove_lock(org, current.id)
            continue
        if runtime.clock() >= deadline:
            raise _explain_refusal(current, refusal)
        if waiting != str(current):
            waiting = str(current)
            report(f"Waiting for {current or 'another change of the setup of this org'}")
        runtime.sleep(min(PAUSE, max(0.0, deadline - runtime.clock())))


def _create(org: Org, name: str, holder: Holder) -> str | OrgError:
    values = {
        "Name": name,
        "Body": base64.b64encode(b"One sfcode apply at a time. See the description.\n").decode("ascii"),
        "CacheControl": "Private",
        "ContentType": "text/plain",
        "Description": holder.text(),
    }
    try:
        return org.create("StaticResource", values)
    except OrgError as error:
        # The error code for a name that is in use does not matter: the holder is looked up.
        return error


def find_locks(org: Org, identities: Iterable[str]) -> tuple[LockInfo, ...]:
    """Return the locks of a project in the org, under all of its identities."""
    return tuple(lock for identity in identities if (lock := find_lock(org, identity)))


def find_lock(org: Org, identity: str) -> LockInfo | None:
    """Return the lock of one identity of a project as it is in the org; None if there is none."""
    rows = org.query(
        "SELECT Id, Description, CreatedDate, LastModifiedDate, CreatedBy.Username FROM StaticResource WHERE Name = {}",
        lock_name(identity),
    )
    for row in rows:
        return LockInfo(
            row["Id"],
            read_holder(row["Description"] or ""),
            (row["CreatedBy"] or {}).get("Username") or "an unknown user",
            datetime.fromisoformat(row["CreatedDate"]),
            datetime.fromisoformat(row["LastModifiedDate"]),
        )
    return None


def explain_stale_lock(org: Org, current: LockInfo) -> str:
    """Return why a lock is stale; an empty text if it is not."""
    holder = current.holder
    if holder and holder.deployment:
        with suppress(OrgError):
            if not org.metadata.deploy_status(holder.deployment, details=False).done:
                return ""
            if holder.detached:
                return f"the deployment {holder.deployment} has ended"
    if holder and holder.is_dead:
        return "its process does not run any more"
    if org.now() - current.seen > LIFE:
        return f"not renewed since {current.seen:%H:%M:%S} UTC"
    return ""


def release_attached(org: Org, identity: str, deploy_id: str) -> None:
    """Release the lock of a detached deployment that has ended."""
    current = find_lock(org, identity)
    if current and current.holder and current.holder.detached and current.holder.deployment[:15] == deploy_id[:15]:
        remove_lock(org, current.id)


def remove_lock(org: Org, lock_id: str) -> bool:
    """Delete one lock by its ID; return whether it existed."""
    for attempt in (1, 2):
        try:
            org.delete("StaticResource", lock_id)
        except OrgUnreachable:
            if attempt == 2:
                raise
        except OrgError as error:
            if error.code not in GONE:
                raise
            return False
        else:
            return True
    raise AssertionError("unreachable")


def _explain_refusal(current: LockInfo | None, refusal: OrgError) -> OrgError | Refused:
    if current is None:
        return refusal
    holder = current.holder
    if holder and holder.deployment and (holder.detached or holder.is_dead):
        hint = f"Its deployment continues: follow it with `sfcode apply --attach {holder.deployment}`."
    else:
        hint = (
            f"Wait for it with --lock-timeout 5m. If its process has ended: the lock expires {_minutes(LIFE)} after its last "
            f"renewal ({current.seen:%H:%M:%S} UTC), or at once with `sfcode force-unlock {current.id}`."
        )
    return Refused(f"The org is locked by {current}.", hint)


def _cannot_lock(name: str, refusal: OrgError) -> OrgError:
    return OrgError(
        f"StaticResource:{name}, the lock against concurrent applies, cannot be created: {refusal.message}",
        refusal.hint or "This needs the permission Customize Application. Pass --no-lock to apply without the lock.",
        code=refusal.code,
    )


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} minutes"
