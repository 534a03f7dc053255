"""A fault between sfcode and an org at every request: the command succeeds or reports it, and the next one succeeds."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sfcode.local import LocalOrg, serve
from tests.e2e.journey import Journey
from tests.waiting import PATIENCE

REQUEST = "/services/[dS]*"
"""The paths of sfcode's requests: REST and SOAP, not the sign-in and not the control route."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Shorten the pauses between attempts; tests of the client cover their length."""
    monkeypatch.setattr("sfcode.org.retry.FIRST_DELAY", 0.02)
    monkeypatch.setattr("sfcode.org.polling.FIRST_PAUSE", 0.02)


@dataclass
class FaultCase:
    """A local org in which a test sets faults, and a project to apply to it."""

    org: LocalOrg
    journey: Journey

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            method,
            f"{self.org.url}/services/sfcode{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.org.access_token}"},
            timeout=PATIENCE,
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    def set_fault(self, kind: str, **more: Any) -> None:
        self.control("POST", "/faults", {"kind": kind, **more})

    def remove_faults(self) -> bool:
        """Remove the faults, and return whether one of them occurred."""
        hits = [fault["hits"] for fault in self.control("GET", "/faults")["faults"]]
        self.control("DELETE", "/faults")
        return any(hits)

    def run(self, *words: str):
        return self.journey.run("--org", self.org.url, *words)

    def plan(self, *words: str):
        return self.run("plan", *words)

    def apply(self):
        return self.run("apply", "--auto-approve")

    def assert_recovers(self) -> None:
        """Assert that the next apply succeeds, and that the plan after it is empty."""
        applied = self.apply()
        assert applied.code == 0, applied.out + applied.err
        second_result = self.plan("--detailed-exitcode")
        assert second_result.code == 0, second_result.out


@contextmanager
def faulty(starts, folder):
    journey = starts("new", folder)
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token}
        yield FaultCase(org, journey)


@pytest.fixture
def org(starts, tmp_path):
    with faulty(starts, tmp_path / "project") as org:
        yield org


def assert_is_reported(result) -> None:
    """Assert that a failure was reported with a message, and not as a bug of sfcode."""
    assert result.code in (0, 1, 4), (result.code, result.out, result.err)
    assert "Traceback" not in result.err
    assert "bug in sfcode" not in result.err


@pytest.mark.parametrize("kind", ["drop", "unavailable"])
def test_a_plan_survives_a_fault_at_any_request(org, kind):
    for number in range(count_requests(org.plan, org)):
        org.set_fault(kind, path=REQUEST, skip=number)
        result = org.plan()
        assert result.code == 0, (number, result.err)
        assert org.remove_faults()


def count_requests(command, org: FaultCase) -> int:
    """Count the requests of a command."""
    org.set_fault("drop", path=REQUEST, skip=10_000)
    assert command().code == 0
    (fault,) = org.control("GET", "/faults")["faults"]
    org.control("DELETE", "/faults")
    assert fault["seen"] > 4, "requests are seen"
    return int(fault["seen"])


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_only_a_lost_connection_of_the_deployment_ends_an_apply(starts, tmp_path, kind):
    with faulty(starts, tmp_path / "whole") as org:
        first = count_requests(org.plan, org)  # requests that only read have another test
        last = count_requests(org.apply, org)
    ends = []
    for number in range(first, last):
        with faulty(starts, tmp_path / f"{number}") as org:
            org.set_fault(kind, path=REQUEST, skip=number)
            result = org.apply()
            assert_is_reported(result)
            assert org.remove_faults()
            if result.code:
                ends.append(result.err)
                org.assert_recovers()
            else:
                assert org.plan("--detailed-exitcode").code == 0
    (error_text,) = ends
    assert "The response to the deployment was lost, so it may or may not be running" in error_text


@pytest.mark.parametrize("kind", ["drop", "drop_after", "unavailable"])
@pytest.mark.parametrize(
    "path", ["*/sobjects/User*", "*/sobjects/PermissionSetLicenseAssign*", "*/sobjects/PermissionSetAssignment*"]
)
def test_a_failed_record_is_reported_with_its_address_and_the_next_apply_continues(org, kind, path):
    org.set_fault(kind, path=path, method="POST", times=99)
    refused = org.apply()
    assert_is_reported(refused)
    assert org.remove_faults()
    if refused.code:
        assert "run `sfcode apply` again, which does the remaining steps." in refused.err
        assert path.strip("*").rpartition("/")[2] + ":" in refused.err
    else:
        assert kind == "drop_after", "it was done, and that was found out"
    org.assert_recovers()


def test_reads_are_retried_without_a_message(org):
    org.set_fault("unavailable", path=REQUEST, times=2)
    assert org.plan().code == 0
    assert org.remove_faults()


def test_a_locked_row_during_the_creation_of_the_user_is_retried(org):
    org.set_fault("row_lock", object="User", times=2)
    applied = org.apply()
    assert applied.code == 0, applied.err
    assert org.remove_faults()
    assert org.plan("--detailed-exitcode").code == 0


def test_a_row_that_stays_locked_is_an_error_with_the_address(org):
    org.set_fault("row_lock", object="User", times=99)
    refused = org.apply()
    assert refused.code == 1
    assert "User:appcues.integration@example.com.local: UNABLE_TO_LOCK_ROW" in refused.err
    assert org.remove_faults()
    org.assert_recovers()


@pytest.mark.parametrize("skip", [0, 3, 7, 11])
def test_a_session_that_ends_in_the_middle_is_reported_with_the_sign_in_command(org, skip):
    org.set_fault("session_expired", path=REQUEST, skip=skip, times=99)
    refused = org.apply()
    assert_is_reported(refused)
    assert org.remove_faults()
    assert refused.code == 1
    assert "SF_ACCESS_TOKEN" in refused.err
    assert org.org.access_token not in refused.err + refused.out
    org.assert_recovers()


def test_a_slow_deployment_is_awaited(org):
    org.set_fault("slow_deploy", polls=4)
    applied = org.apply()
    assert applied.code == 0, applied.err
    assert org.remove_faults()
    assert org.plan("--detailed-exitcode").code == 0


def test_a_connection_lost_while_following_a_deployment_is_retried(org):
    org.set_fault("slow_deploy", polls=3)
    org.set_fault("drop", path="/services/Soap/*", skip=6, times=2)
    applied = org.apply()
    assert applied.code == 0, applied.err
    assert org.remove_faults()


def test_a_locked_setup_is_an_error_with_the_orgs_message_and_the_next_apply_works(org):
    org.set_fault("locked_org")
    refused = org.apply()
    assert refused.code == 1
    assert "ALREADY_IN_PROCESS" in refused.err
    assert "another change" in refused.err
    assert "Correct the lines" not in refused.err, "the config is not at fault"
    assert org.remove_faults()
    org.assert_recovers()


def test_a_locked_setup_is_retried_for_the_lock_timeout(org, monkeypatch):
    monkeypatch.setattr("sfcode.apply.deploy.PAUSE", 0.01)
    org.set_fault("locked_org", times=2)
    applied = org.run("apply", "--auto-approve", "--lock-timeout", "1m")
    assert applied.code == 0, applied.err
    assert applied.out.count("Another setup change is running in this org; trying again") == 2
    assert org.remove_faults()
    assert org.plan("--detailed-exitcode").code == 0


def test_a_used_up_request_limit_is_reported(org):
    org.set_fault("request_limit", path="/services/data/*", times=99)
    refused = org.plan()
    assert_is_reported(refused)
    assert refused.code == 1
    assert "REQUEST_LIMIT_EXCEEDED" in refused.err
    assert org.remove_faults()
    org.assert_recovers()


def test_a_slow_org_causes_no_error(org):
    org.set_fault("latency", path=REQUEST, seconds=0.05, times=99)
    assert org.apply().code == 0
    assert org.remove_faults()
