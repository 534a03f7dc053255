"""The lock against concurrent applies: a second apply is refused or waits, and no lock outlives its holder."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from sfcode.apply import lock as lock_module
from sfcode.apply.lock import OrgLock, find_lock, hold_lock, release_attached, remove_lock
from sfcode.apply.lock_holder import Holder, describe_run, read_holder
from sfcode.errors import OrgError, Refused
from sfcode.local import serve
from sfcode.local.faults import InjectedFault
from sfcode.mapping.limits import DESCRIPTION_LENGTH
from sfcode.metadata.component import Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import DeployStillRunning, Org, Runtime, connect
from sfcode.org.results import DeployOptions
from tests.e2e.org import opened
from tests.waiting import PATIENCE, until

ELSEWHERE = {"machine": "somewhere", "host": "ci-7", "user": "jane"}


@dataclass
class HandClock:
    time: datetime = field(default_factory=lambda: datetime(2026, 3, 18, 12, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.time


@dataclass
class EventClock:
    """A clock that advances only when the client sleeps, and a function that is called after each sleep."""

    seconds: float = 0.0
    meanwhile: Callable[[], None] = lambda: None

    def sleep(self, pause: float) -> None:
        self.seconds += pause
        self.meanwhile()


@dataclass
class LockCase:
    """A local org, two clients of it, and their output."""

    url: str
    token: str
    clock: HandClock
    one: Org
    other: Org
    patience: EventClock
    reports: list[str] = field(default_factory=list)

    def hold(self, org: Org, holder: Holder, patience: float = 0.0):
        return hold_lock(org, "Test", holder, patience=patience, report=self.reports.append)

    def leave(self, holder: Holder) -> str:
        """Leave a lock in the org, as a killed run does."""
        values = {"Name": "Test_sfcode_lock", "Body": "eA==", "ContentType": "text/plain", "CacheControl": "Private"}
        return self.one.create("StaticResource", values | {"Description": holder.text()})

    @property
    def is_free(self) -> bool:
        return find_lock(self.one, "Test") is None


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    clock = HandClock()
    with serve(tmp_path_factory.mktemp("org"), clock=clock) as org:
        yield org, clock


@pytest.fixture
def case(served):
    org, clock = served
    patience = EventClock()
    runtime = Runtime(sleep=patience.sleep, clock=lambda: patience.seconds)
    environ = {"SF_ACCESS_TOKEN": org.access_token}
    clients = [connect(org.url, environ=environ, api_version="63.0", runtime=runtime) for _ in range(2)]
    with clients[0], clients[1]:
        case = LockCase(org.url, org.access_token, clock, *clients, patience)
        yield case
        lock = find_lock(case.one, "Test")
        if lock:
            remove_lock(case.one, lock.id)


def run(**more: object) -> Holder:
    return replace(describe_run("apply"), **more)


def test_a_second_apply_is_refused_with_the_holder_its_time_machine_and_plan(case):
    first = run(**ELSEWHERE, plan="3f9a1c2b4d5e", pid=77)
    with case.hold(case.one, first), pytest.raises(Refused) as refused, case.hold(case.other, run()):
        raise AssertionError("two hold the lock")
    assert refused.value.message == (
        "The org is locked by `sfcode apply` of admin@northwind.example (jane@ci-7, process 77, plan 3f9a1c2b4d5e) "
        f"since {case.clock.time:%Y-%m-%d %H:%M:%S} UTC."
    )
    assert "--lock-timeout 5m" in refused.value.hint
    assert "`sfcode force-unlock 081" in refused.value.hint
    assert case.is_free


def test_a_second_apply_waits_for_the_lock_timeout(case):
    with case.hold(case.one, run()), pytest.raises(Refused), case.hold(case.other, run(), patience=300):
        raise AssertionError("two hold the lock")
    assert case.patience.seconds == 300
    assert len([line for line in case.reports if line.startswith("Waiting for `sfcode apply`")]) == 1


def test_a_second_apply_continues_when_the_first_has_ended(case):
    first = case.hold(case.one, run())
    first.__enter__()

    def done() -> None:
        if case.patience.seconds >= 10 and not case.is_free:
            first.__exit__(None, None, None)

    case.patience.meanwhile = done
    with case.hold(case.other, run(), patience=300):
        assert 10 <= case.patience.seconds < 20
    assert case.is_free


@pytest.mark.parametrize("end", [None, OrgError("refused"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_the_lock_is_released_however_the_apply_ends(case, end):
    def work() -> None:
        with case.hold(case.one, run()):
            assert not case.is_free
            if end is not None:
                raise end

    if end is None:
        work()
    else:
        with pytest.raises(type(end)):
            work()
    assert case.is_free


def test_a_signal_during_the_creation_of_the_lock_leaves_no_lock(case, monkeypatch):
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        start(thread)  # the served org starts its own threads

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), case.hold(case.one, run()):
        raise AssertionError("it is not held")
    monkeypatch.undo()
    assert case.is_free


def test_a_running_deployment_keeps_the_lock_until_apply_attach(case):
    deploy_id = case.one.metadata.deploy(zip_files(write([], "63.0")), DeployOptions())
    with pytest.raises(DeployStillRunning), case.hold(case.one, run()):
        raise DeployStillRunning(deploy_id, "you interrupted the wait for it")
    lock = find_lock(case.one, "Test")
    assert lock
    assert lock.holder
    assert (lock.holder.detached, lock.holder.deployment) == (True, deploy_id)
    release_attached(case.other, "Test", "0Af000000000000")
    assert not case.is_free, "another deployment has ended"
    release_attached(case.other, "Test", deploy_id)
    assert case.is_free


def test_a_running_deployment_refuses_other_applies_until_it_has_ended(tmp_path):
    slow = InjectedFault("slow_deploy", polls=4)
    with serve(tmp_path, faults=[slow]) as org, opened(org) as client:
        package = zip_files(write([Component("StaticResource", "X", RESOURCE)], "63.0"))
        deploy_id = client.metadata.deploy(package, DeployOptions())
        reports: list[str] = []

        def hold():
            return hold_lock(client, "Test", run(), patience=0, report=reports.append)

        with pytest.raises(DeployStillRunning), hold():
            raise DeployStillRunning(deploy_id, "you interrupted the wait for it")
        with pytest.raises(Refused, match=f"sfcode apply --attach {deploy_id}"), hold():
            raise AssertionError("two change the org")
        assert client.metadata.follow(deploy_id).success
        with hold():
            assert reports[0].endswith(f"the deployment {deploy_id} has ended")


def test_the_lock_of_a_killed_run_with_a_deployment_names_apply_attach(tmp_path):
    with serve(tmp_path, faults=[InjectedFault("slow_deploy", polls=4)]) as org, opened(org) as client:
        package = zip_files(write([Component("StaticResource", "X", RESOURCE)], "63.0"))
        deploy_id = client.metadata.deploy(package, DeployOptions())
        killed = run(pid=2**22 + 1, deployment=deploy_id)
        with hold_lock(client, "Test", run(), patience=0, report=print) as lock:
            assert isinstance(lock, OrgLock)
            client.update("StaticResource", lock.id, {"Description": killed.text()})
            with (
                pytest.raises(Refused, match=f"sfcode apply --attach {deploy_id}"),
                hold_lock(client, "Test", run(), patience=0, report=print),
            ):
                raise AssertionError("two change the org")


RESOURCE = {"cacheControl": "Private", "content": "eA==", "contentType": "text/plain"}


def test_a_lock_not_renewed_for_ten_minutes_of_org_time_is_taken_over(case):
    case.leave(run(**ELSEWHERE))
    case.clock.time += timedelta(minutes=9)
    with pytest.raises(Refused), case.hold(case.other, run()):
        raise AssertionError("two hold the lock")
    case.clock.time += timedelta(minutes=1, seconds=1)
    with case.hold(case.other, run()):
        assert "not renewed since" in case.reports[0]
    assert case.is_free


def test_a_lock_of_an_ended_process_of_this_machine_is_taken_over_at_once(case):
    case.leave(run(pid=2**22 + 1))
    with case.hold(case.other, run()):
        assert case.reports[0].endswith("its process does not run any more")


def test_a_lock_with_unknown_content_holds_until_it_expires(case):
    lock_id = case.leave(run())
    case.one.update("StaticResource", lock_id, {"Description": "do not touch"})
    with pytest.raises(Refused, match="locked by admin@northwind.example since"), case.hold(case.other, run()):
        raise AssertionError("two hold the lock")


def test_one_of_many_applies_takes_over_an_expired_lock(case):
    """Each run deletes the lock by the ID that it has read, so no run deletes a lock that another run has just created."""
    case.leave(run(pid=2**22 + 1))
    inside, most, ends = [], [], []
    barrier = threading.Barrier(6)

    def take() -> None:
        barrier.wait()
        try:
            with hold_lock(case.one, "Test", run(), patience=0, report=lambda _: None):
                inside.append(1)
                most.append(len(inside))
                barrier.wait(timeout=PATIENCE)  # all threads have tried to get the lock
                inside.pop()
            ends.append("held")
        except Refused:
            ends.append("refused")
            barrier.wait(timeout=PATIENCE)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["held"] + ["refused"] * 5
    assert most == [1]


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_a_lost_response_leaves_neither_an_orphaned_lock_nor_a_second_one(tmp_path, kind):
    faults = [
        InjectedFault(kind, path="*/StaticResource", method="POST"),
        InjectedFault(kind, path="*/StaticResource/*", method="DELETE"),
    ]
    with serve(tmp_path, faults=faults) as org, opened(org) as client:
        with hold_lock(client, "Test", run(), patience=0, report=lambda _: None):
            assert find_lock(client, "Test")
        assert find_lock(client, "Test") is None


def test_a_holder_renews_its_lock(case, monkeypatch):
    monkeypatch.setattr(lock_module, "BEAT", 0.01)
    with case.hold(case.one, run()):
        until(lambda: (lock := find_lock(case.other, "Test")) and lock.holder and lock.holder.beat >= 2)


def test_a_holder_stops_before_its_next_step_if_its_lock_was_removed(case, monkeypatch):
    monkeypatch.setattr(lock_module, "BEAT", 0.01)
    with case.hold(case.one, run()) as lock:
        current_lock = find_lock(case.other, "Test")
        assert current_lock
        assert remove_lock(case.other, current_lock.id)
        with pytest.raises(Refused, match="taken over the lock"):
            until(lock.confirm)


def test_a_user_who_may_not_create_the_lock_gets_a_hint(case):
    values = {"Username": "bare@example.com", "LastName": "Bare", "Alias": "bare", "Email": "bare@example.com"}
    locale = {
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }
    (profile,) = case.one.query("SELECT Id FROM Profile WHERE Name = 'Standard User'")
    case.one.create("User", values | locale | {"ProfileId": profile["Id"]})
    token = sign_in_as(case, "bare@example.com")
    bare = connect(case.url, environ={"SF_ACCESS_TOKEN": token}, api_version="63.0")
    with bare, pytest.raises(OrgError, match="Pass --no-lock to apply without the lock"), case.hold(bare, run()):
        raise AssertionError("the lock was made without the right to")


def sign_in_as(case: LockCase, username: str) -> str:
    import requests

    answer = requests.post(
        f"{case.url}/services/sfcode/tokens",
        json={"username": username},
        headers={"Authorization": f"Bearer {case.token}"},
        timeout=PATIENCE,
    )
    assert answer.status_code < 300, answer.text
    return answer.json()["access_token"]


def test_a_lock_with_any_names_fits_and_is_parsed_again():
    for name in ("x", "x" * 300, "é" * 300):
        holder = replace(
            describe_run("rollback", "0" * 12),
            user=name,
            host=name,
            deployment="0Af" + "0" * 15,
            detached=True,
            beat=9999,
        )
        assert len(holder.text()) <= DESCRIPTION_LENGTH
        read = read_holder(holder.text())
        assert read
        assert (read.id, read.pid, read.deployment) == (holder.id, holder.pid, holder.deployment)
    assert read_holder("nonsense") is None
    assert read_holder(json.dumps({"other": 1})) is None


@pytest.mark.parametrize("wrong", [{"pid": "7"}, {"deployment": 5}, {"host": ["x"]}, {"detached": 1}])
def test_a_lock_with_values_of_other_types_is_not_parsed(wrong):
    assert read_holder(json.dumps({**json.loads(describe_run("apply").text()), **wrong})) is None


def test_control_characters_of_names_in_a_lock_are_escaped(case):
    case.leave(replace(run(pid=2**22 + 1), user="\x1b[2J\u009b31m\u202eeve"))
    with case.hold(case.other, run()):
        assert case.reports[0].isprintable()
        assert "\\x1b[2J" in case.reports[0]
