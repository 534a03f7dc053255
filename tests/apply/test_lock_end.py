"""How a lock is held, renewed, released and left, and when it is stale."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sfcode.apply import lock as lock_module
from sfcode.apply.lock import (
    LIFE,
    Locks,
    explain_stale_lock,
    find_lock,
    hold_lock,
    hold_locks,
    release_attached,
    remove_lock,
)
from sfcode.apply.lock_holder import RUNNING, Holder, describe_run
from sfcode.errors import OrgError, Refused
from sfcode.org import DeployStillRunning
from tests.apply.scripted import CountingLock
from tests.apply.scripted_locks import (
    BUSY,
    DEPLOYMENT,
    ENDED,
    FORBIDDEN,
    GONE,
    LOST,
    OTHER,
    START,
    ScriptedLocks,
    hold,
    row_of,
)
from tests.waiting import until


class TestEnd:
    @pytest.mark.parametrize(
        ("holder", "status", "reason"),
        [
            (OTHER, True, ""),
            (ENDED, True, "its process does not run any more"),
            (replace(ENDED, deployment=DEPLOYMENT), False, ""),
            (replace(ENDED, deployment=DEPLOYMENT), True, "its process does not run any more"),
            (replace(ENDED, deployment=DEPLOYMENT), OrgError("unknown"), "its process does not run any more"),
            (replace(OTHER, deployment=DEPLOYMENT), True, ""),
            (replace(OTHER, deployment=DEPLOYMENT, detached=True), False, ""),
            (replace(OTHER, deployment=DEPLOYMENT, detached=True), True, f"the deployment {DEPLOYMENT} has ended"),
            (replace(OTHER, detached=True), True, ""),
        ],
    )
    def test_is_decided_by_deployment_and_process(self, holder: Holder, status: Any, reason: str) -> None:
        org: Any = ScriptedLocks(rows=[row_of(holder)], status=status)
        current = find_lock(org, "Test")
        assert current
        assert explain_stale_lock(org, current) == reason

    @pytest.mark.parametrize(
        ("age", "reason"), [(LIFE, ""), (LIFE + timedelta(seconds=1), "not renewed since 12:00:00 UTC")]
    )
    @pytest.mark.parametrize("text", [OTHER.text(), "by hand", None], ids=["sfcode", "by hand", "empty"])
    def test_of_another_machine_is_a_missing_renewal(self, age: timedelta, reason: str, text: str | None) -> None:
        org: Any = ScriptedLocks(rows=[row_of(OTHER, Description=text)], time=START + age)
        current = find_lock(org, "Test")
        assert current
        assert explain_stale_lock(org, current) == reason


def test_a_lock_is_read_with_its_times_and_its_user() -> None:
    renewed = "2026-03-18T12:05:00.000+0000"
    org: Any = ScriptedLocks(rows=[row_of(OTHER, LastModifiedDate=renewed), row_of(OTHER, CreatedBy=None), None])
    current = find_lock(org, "Test")
    assert current
    assert (current.id, current.holder, current.username) == ("0811", OTHER, "me@example.com")
    assert (current.since, current.seen) == (START, START + timedelta(minutes=5))
    unknown = find_lock(org, "Test")
    assert unknown
    assert unknown.username == "an unknown user"
    assert find_lock(org, "Test") is None
    assert org.calls == ["query Test_sfcode_lock"] * 3


class TestRelease:
    @pytest.mark.parametrize(
        ("answers", "existed", "count"),
        [([], True, 1), ([LOST], True, 2), ([GONE], False, 1), ([LOST, GONE], False, 2)],
    )
    def test_of_a_lock_reports_whether_it_existed(self, answers: list[OrgError], existed: bool, count: int) -> None:
        org: Any = ScriptedLocks(deletions=list(answers))
        assert remove_lock(org, "0811") is existed
        assert org.calls == ["delete 0811"] * count

    @pytest.mark.parametrize("answers", [[FORBIDDEN], [LOST, LOST]])
    def test_that_the_org_refuses_is_an_error(self, answers: list[OrgError]) -> None:
        org: Any = ScriptedLocks(deletions=list(answers))
        with pytest.raises(OrgError) as refused:
            remove_lock(org, "0811")
        assert refused.value is answers[-1]

    @pytest.mark.parametrize("code", ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"])
    def test_of_a_lock_that_does_not_exist_is_not_an_error(self, code: str) -> None:
        org: Any = ScriptedLocks(deletions=[OrgError("deleted", code=code)])
        assert remove_lock(org, "0811") is False

    def test_that_fails_reports_when_the_lock_expires(self) -> None:
        org = ScriptedLocks(["0811"], deletions=[FORBIDDEN])
        assert hold(org) == ["The lock 0811 could not be released (no access). It expires in 10 minutes."]

    @pytest.mark.parametrize(
        ("holder", "deploy_id", "released"),
        [
            (replace(OTHER, deployment=DEPLOYMENT, detached=True), DEPLOYMENT, True),
            (replace(OTHER, deployment=DEPLOYMENT, detached=True), DEPLOYMENT[:15], True),
            (replace(OTHER, deployment=DEPLOYMENT[:15], detached=True), DEPLOYMENT, True),
            (replace(OTHER, deployment=DEPLOYMENT), DEPLOYMENT, False),
            (replace(OTHER, deployment=DEPLOYMENT, detached=True), "0Af000000000002AAA", False),
        ],
    )
    def test_after_a_detached_deployment_is_only_that_of_its_lock(
        self, holder: Holder, deploy_id: str, released: bool
    ) -> None:
        org: Any = ScriptedLocks(rows=[row_of(holder)])
        release_attached(org, "Test", deploy_id)
        assert ("delete 0811" in org.calls) is released

    @pytest.mark.parametrize("row", [None, row_of(OTHER, Description="by hand")])
    def test_after_a_deployment_without_a_lock_of_sfcode_does_nothing(self, row: Any) -> None:
        org: Any = ScriptedLocks(rows=[row])
        release_attached(org, "Test", DEPLOYMENT)
        assert org.calls == ["query Test_sfcode_lock"]


class TestHolding:
    def test_names_the_run_while_it_lasts_and_ends_its_thread(self) -> None:
        holder, org = describe_run("apply"), ScriptedLocks(["0811"])
        with hold_lock(org, "Test", holder, patience=0, report=print):  # type: ignore[arg-type]
            assert holder.id in RUNNING
            assert "sfcode-lock" in {thread.name for thread in threading.enumerate()}
        assert holder.id not in RUNNING
        assert "sfcode-lock" not in {thread.name for thread in threading.enumerate()}

    @pytest.mark.parametrize("end", [OrgError("refused"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
    def test_ends_however_the_apply_ends(self, end: BaseException) -> None:
        org: Any = ScriptedLocks(["0811"])
        with (
            pytest.raises(type(end)) as raised,
            hold_lock(org, "Test", describe_run("apply"), patience=0, report=print),
        ):
            raise end
        assert raised.value is end
        assert org.calls == ["create Test_sfcode_lock", "delete 0811"]

    def test_that_fails_names_no_run(self) -> None:
        holder, org = describe_run("apply"), ScriptedLocks([FORBIDDEN])
        with pytest.raises(OrgError), hold_lock(org, "Test", holder, patience=0, report=print):  # type: ignore[arg-type]
            raise AssertionError("the lock is held")
        assert holder.id not in RUNNING

    @pytest.mark.parametrize("answers", [[], [FORBIDDEN]])
    def test_that_a_signal_prevents_releases_the_lock(
        self, monkeypatch: pytest.MonkeyPatch, answers: list[OrgError]
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        org: Any = ScriptedLocks(["0811"], deletions=list(answers))
        monkeypatch.setattr(lock_module, "OrgLock", interrupt)
        with pytest.raises(KeyboardInterrupt), hold_lock(org, "Test", describe_run("apply"), patience=0, report=print):
            raise AssertionError("the lock is held")
        assert org.calls == ["create Test_sfcode_lock", "delete 0811"]

    def test_of_a_deployment_that_continues_leaves_the_lock(self) -> None:
        org: Any = ScriptedLocks(["0811"])
        with pytest.raises(DeployStillRunning), hold_lock(org, "Test", describe_run("apply"), patience=0, report=print):
            raise DeployStillRunning(DEPLOYMENT, "canceled")
        assert org.calls == ["create Test_sfcode_lock"]
        assert f'"deployment": "{DEPLOYMENT}"' in org.written[-1]
        assert '"detached": true' in org.written[-1]
        assert "sfcode-lock" not in {thread.name for thread in threading.enumerate()}

    def test_writes_a_deployment_at_once(self) -> None:
        org: Any = ScriptedLocks(["0811"])
        with hold_lock(org, "Test", describe_run("apply"), patience=0, report=print) as lock:
            lock.record_deployment(DEPLOYMENT)
            until(lambda: any(DEPLOYMENT in text for text in org.written))
        assert len(org.written) == 1

    def test_counts_its_renewals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock_module, "BEAT", 0.001)
        org: Any = ScriptedLocks(["0811"], updates=[BUSY])
        with hold_lock(org, "Test", describe_run("apply"), patience=0, report=print):
            until(lambda: len(org.written) >= 3)
        assert ['"beat": 1' in org.written[0], '"beat": 2' in org.written[1], '"beat": 3' in org.written[2]] == [
            True
        ] * 3

    def test_ends_with_the_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock_module, "BEAT", 0.001)
        org: Any = ScriptedLocks(["0811"], updates=[GONE])
        with hold_lock(org, "Test", describe_run("apply"), patience=0, report=print) as lock:
            until(lambda: "sfcode-lock" not in {thread.name for thread in threading.enumerate()})
            assert len(org.written) == 1
            with pytest.raises(Refused) as refused:
                lock.confirm()
        assert refused.value.hint == "Run `sfcode plan` to see the remaining changes."


def test_several_locks_are_confirmed_and_written_together() -> None:
    first, second = CountingLock(), CountingLock(holds_for=1)
    locks = Locks((first, second))
    locks.confirm()
    locks.record_deployment(DEPLOYMENT)
    assert (first.deployments, second.deployments) == ([DEPLOYMENT], [DEPLOYMENT])
    with pytest.raises(Refused, match="taken over the lock"):
        locks.confirm()
    assert (first.confirmed, second.confirmed) == (2, 1)


class TestIdentities:
    def test_are_locked_in_the_order_of_their_names_and_released_in_the_reverse(self) -> None:
        org: Any = ScriptedLocks(["0811", "0812", "0813"])
        with hold_locks(org, ["b", "C", "a"], describe_run("apply"), patience=0, report=print):
            assert org.calls == ["create a_sfcode_lock", "create b_sfcode_lock", "create C_sfcode_lock"]
        assert org.calls[3:] == ["delete 0813", "delete 0812", "delete 0811"]

    def test_are_confirmed_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        locks = {"a": CountingLock(), "b": CountingLock(holds_for=0)}

        @contextmanager
        def hold_one(_org: object, identity: str, *_: object, **_options: object) -> Iterator[CountingLock]:
            yield locks[identity]

        monkeypatch.setattr(lock_module, "hold_lock", hold_one)
        org: Any = None
        with hold_locks(org, ["a", "b"], describe_run("apply"), patience=0, report=print) as lock:
            lock.record_deployment(DEPLOYMENT)
            with pytest.raises(Refused):
                lock.confirm()
        assert [held_lock.deployments for held_lock in locks.values()] == [[DEPLOYMENT], [DEPLOYMENT]]
        with hold_locks(org, ["a"], describe_run("apply"), patience=0, report=print) as lock:
            assert lock is locks["a"]
