"""Concurrent applies in separate processes: one is refused or waits, is killed, or leaves its deployment running."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest

from sfcode.apply.lock import find_lock
from sfcode.local import serve
from sfcode.local.faults import InjectedFault
from sfcode.org import DeployStillRunning
from tests.e2e.journey import Journey, Result
from tests.e2e.org import opened
from tests.programs import Program
from tests.waiting import PATIENCE


class LockCase:
    """A project, and an org that keeps running after the commands."""

    def __init__(self, journey: Journey, org) -> None:
        self.org = org
        self.journey = journey
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token}

    def run(self, *words: str) -> Result:
        return self.journey.run("--org", self.org.url, *words)

    def apply(self, *words: str) -> Result:
        return self.run("apply", "--auto-approve", *words)

    @contextmanager
    def busy(self):
        """Start an apply in a separate process, and return it while its deployment is queued in the org."""
        process = self.journey.spawn("--org", self.org.url, "apply", "--auto-approve")
        assert process.stdout
        for line in process.stdout:
            if line.startswith("Deploying"):
                break
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE)

    @property
    def lock(self):
        with opened(self.org) as client:
            return find_lock(client, "Appcues")


@contextmanager
def slow(journey: Journey, polls: int = 6):
    with serve(journey.folder / "org", faults=[InjectedFault("slow_deploy", polls=polls)]) as org:
        yield LockCase(journey, org)


def ended(process: Program) -> tuple[int, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out + err


def test_a_second_concurrent_apply_is_refused_or_waits_and_both_succeed(journey):
    with slow(journey) as place:
        with place.busy() as first:
            first.send_signal(signal.SIGSTOP)
            refused = place.apply()
            assert refused.code == 1
            assert "The org is locked by `sfcode apply` of admin@northwind.example (" in refused.err
            assert f", process {first.pid}) since" in refused.err
            assert place.run("plan").code == 0, "looking is free"
            second = journey.spawn("--org", place.org.url, "apply", "--auto-approve", "--lock-timeout", "1m")
            assert second.stdout
            assert second.stdout.readline().startswith("Waiting for `sfcode apply`")
            first.send_signal(signal.SIGCONT)
            assert ended(first)[0] == 0
            code, output = ended(second)
        assert (code, "No changes." in output) == (0, True), output
        assert place.lock is None
        assert place.run("plan", "--detailed-exitcode").code == 0


def test_the_lock_of_a_killed_apply_holds_only_while_its_deployment_runs(journey):
    with slow(journey, polls=3) as place:
        with place.busy() as first:
            first.kill()
            first.wait()
            assert place.lock is not None
            after = place.apply("--lock-timeout", "1m")
        assert after.code == 0, after.err
        assert "Taking over the lock of `sfcode apply`" in after.out
        assert place.lock is None
        assert place.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_apply_cancels_its_deployment_and_releases_the_lock(journey, number):
    with slow(journey, polls=50) as place:
        with place.busy() as first:
            first.send_signal(number)
            code, output = ended(first)
        assert (code, "was stopped (Canceled)" in output) == ({signal.SIGINT: 130}.get(number, 143), True), output
        assert "The org refused" not in output
        assert place.lock is None


def test_a_failed_apply_releases_the_lock(journey):
    journey.edit("sfcode.yaml", "permission_set_license: SalesforceAPIIntegrationPsl", "permission_set_license: Nobody")
    with serve(journey.folder / "org") as org:
        place = LockCase(journey, org)
        failed = place.apply()
        assert (failed.code, "Nobody" in failed.err) == (1, True), failed.err
        assert place.lock is None


def test_an_apply_that_left_its_deployment_running_keeps_the_lock_until_attach(journey, monkeypatch):
    def let_go(_org, deploy_id, *_):
        raise DeployStillRunning(deploy_id, "you interrupted the wait for it")

    with slow(journey, polls=4) as place:
        with monkeypatch.context() as patched:
            patched.setattr("sfcode.apply.deploy.watch", let_go)
            result = place.apply()
        assert result.code == 4
        deployment = place.lock.holder.deployment
        refused = place.apply()
        assert refused.code == 1
        assert f"sfcode apply --attach {deployment}" in refused.err
        assert place.run("apply", "--attach", deployment).code == 0
        assert place.lock is None
        assert place.apply().code == 0


def test_force_unlock_removes_only_the_lock_with_the_passed_id(journey):
    with slow(journey) as place:
        assert "The org is not locked." in place.run("force-unlock", "081000000000001AAA").err
        with place.busy() as first:
            first.send_signal(signal.SIGSTOP)
            lock = place.lock
            wrong = place.run("force-unlock", "081000000000001AAA", "--force")
            assert (wrong.code, f"The lock is {lock.id}, held by" in wrong.err) == (1, True)
            assert "Pass --force" in place.run("force-unlock", lock.id).err
            assert place.lock is not None
            result = place.run("--json", "force-unlock", lock.id, "--force")
            assert (result.code, result.json["result"]["unlocked"]) == (0, lock.id)
            assert place.lock is None


def test_the_option_no_lock_neither_reads_nor_writes_a_lock(journey):
    with slow(journey) as place:
        with place.busy() as first:
            first.send_signal(signal.SIGSTOP)
            assert place.apply("--no-lock").code == 0
            assert place.lock is not None
        assert place.run("apply", "--lock-timeout", "soon").code == 1
