"""Following a deployment: reported statuses, retries of a locked setup, and Ctrl-C."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.apply.deploy import PAUSE, attach, deploy, follow_quick, watch
from sfcode.errors import OrgError, UsageError
from sfcode.org import DeployStillRunning
from sfcode.org.results import DeployOptions, DeployResult
from tests.apply.scripted import ID, ScriptedOrg

LOCKED = DeployResult(ID, "Failed", done=True, success=False, error_status_code="ALREADY_IN_PROCESS")
FAILED = DeployResult(ID, "Failed", done=True, success=False, error_status_code="UNKNOWN_EXCEPTION")
DONE = DeployResult(ID, "Succeeded", done=True, success=True)


def running(deployed: int, **more: Any) -> DeployResult:
    return DeployResult(ID, "InProgress", False, False, components_total=3, components_deployed=deployed, **more)


def run(org: ScriptedOrg, options: DeployOptions = DeployOptions(), **more: Any) -> tuple[DeployResult, list[str]]:  # noqa: B008
    reports: list[str] = []
    return deploy(org, b"zip", options, "2 components", reports.append, **more), reports  # type: ignore[arg-type]


def test_each_status_is_reported_once_with_its_figures() -> None:
    org = ScriptedOrg([[running(0), running(0), running(2), running(2, tests_total=4, tests_completed=1), DONE]])
    result, reports = run(org)
    assert result is DONE
    assert reports == [
        "Deploying 2 components (0Af000000000000001)",
        "  InProgress: 0/3 components",
        "  InProgress: 2/3 components",
        "  InProgress: 2/3 components, 1/4 tests",
    ]


def test_a_check_is_reported_as_a_check_and_its_options_are_sent_unchanged() -> None:
    options = DeployOptions(check_only=True, test_level="RunLocalTests")
    org = ScriptedOrg([[DONE]])
    _, reports = run(org, options)
    assert reports == ["Checking 2 components (0Af000000000000001)"]
    assert org.sent == [options]


def test_the_deployment_id_is_reported_before_the_first_poll() -> None:
    events: list[str] = []
    org = ScriptedOrg([[DONE]])
    deploy(org, b"zip", DeployOptions(), "x", events.append, started=lambda id_: events.append(f"started {id_}"))  # type: ignore[arg-type]
    assert events[0] == "started 0Af000000000000001"
    follow_quick(ScriptedOrg([[DONE]]), ID, events.append, started=lambda id_: events.append(f"quick {id_}"))  # type: ignore[arg-type]
    assert events[2:] == [f"quick {ID}", f"Deploying the checked package without running its tests again ({ID})"]


class TestALockedSetup:
    def test_is_an_error_without_a_lock_timeout(self) -> None:
        org = ScriptedOrg([[LOCKED]])
        assert (run(org)[0], org.slept) == (LOCKED, [])

    def test_is_retried_with_a_new_deployment_until_it_succeeds(self) -> None:
        org, started = ScriptedOrg([[LOCKED], [LOCKED], [DONE]]), list[str]()
        result, reports = run(org, patience=60.0, started=started.append)
        assert (result, org.slept) == (DONE, [PAUSE, PAUSE])
        assert started == ["0Af000000000000001", "0Af000000000000002", "0Af000000000000003"]
        assert reports.count("  Another setup change is running in this org; trying again") == 2

    def test_is_retried_for_the_lock_timeout_and_no_longer(self) -> None:
        org = ScriptedOrg([[LOCKED]] * 10)
        assert run(org, patience=2 * PAUSE + 1)[0] is LOCKED
        assert org.slept == [PAUSE, PAUSE, 1.0]

    def test_is_the_only_failure_that_is_retried(self) -> None:
        org = ScriptedOrg([[FAILED]])
        assert (run(org, patience=60.0)[0], org.slept) == (FAILED, [])


class TestInterrupted:
    def test_ctrl_c_cancels_the_deployment_and_waits_for_its_end(self) -> None:
        org = ScriptedOrg([[running(1), KeyboardInterrupt()], [DONE]])
        reports: list[str] = []
        assert watch(org, ID, reports.append) is DONE  # type: ignore[arg-type]
        assert org.cancelled == [ID]
        assert reports == [
            "  InProgress: 1/3 components",
            f"Cancelling {ID}; press Ctrl-C again to let the deployment continue",
        ]

    def test_a_deployment_that_ends_before_its_cancellation_has_its_own_result(self) -> None:
        org = ScriptedOrg([[KeyboardInterrupt()], [DONE]], cancel_error=OrgError("too late"))
        assert watch(org, ID, lambda _: None) is DONE  # type: ignore[arg-type]

    def test_a_second_ctrl_c_stops_waiting_for_the_deployment(self) -> None:
        org = ScriptedOrg([[KeyboardInterrupt()], [KeyboardInterrupt()]])
        with pytest.raises(DeployStillRunning) as error:
            watch(org, ID, lambda _: None)  # type: ignore[arg-type]
        assert error.value.deploy_id == ID


@pytest.mark.parametrize(
    "deploy_id", ["", "0Af", "0Af00000000000", "0Ag000000000001AAA", "0Af000000000001AA", f"{ID}A", f"x{ID}"]
)
def test_an_invalid_deployment_id_is_refused_without_a_request(deploy_id: str) -> None:
    with pytest.raises(UsageError, match="is not the ID of a deployment"):
        attach(ScriptedOrg([]), deploy_id, lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("deploy_id", [ID, ID[:15]])
def test_a_deployment_is_followed_by_its_long_or_short_id(deploy_id: str) -> None:
    assert attach(ScriptedOrg([[DONE]]), deploy_id, lambda _: None) is DONE  # type: ignore[arg-type]
