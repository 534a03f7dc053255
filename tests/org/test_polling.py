from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.errors import ExitCode, OrgError
from sfcode.org import DeployResult, DeployStillRunning
from sfcode.org.polling import LONGEST_PAUSE, SILENCE, follow_deployment
from sfcode.org.retry import NoAnswer

PENDING = DeployResult("0Af1", "Pending", done=False, success=False)
RUNNING = replace(PENDING, status="InProgress", components_total=2)
HALF = replace(RUNNING, components_deployed=1)
DONE = replace(HALF, status="Succeeded", done=True, success=True, components_deployed=2)
LOST = NoAnswer("no route to host", sent=False)


def script(*answers):
    """Return the answers in order; the last one is repeated."""
    remaining_answers = list(answers)

    def status():
        answer = remaining_answers.pop(0) if len(remaining_answers) > 1 else remaining_answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return status


def test_returns_the_end_and_shows_each_step_once(runtime) -> None:
    statuses = []
    result = follow_deployment(
        script(PENDING, PENDING, RUNNING, HALF, HALF, DONE), "0Af1", statuses.append, runtime, 60
    )
    assert result == DONE
    assert statuses == [PENDING, RUNNING, HALF, DONE]


def test_a_failed_deployment_is_returned_like_any_other(runtime) -> None:
    failed = replace(DONE, status="Failed", success=False)
    assert follow_deployment(script(failed), "0Af1", None, runtime, 60) == failed


def test_asks_at_once_then_after_growing_pauses(runtime, time) -> None:
    follow_deployment(script(*[PENDING] * 12, DONE), "0Af1", None, runtime, 60)
    assert time.slept[0] == 0.2
    assert time.slept == sorted(time.slept)
    assert max(time.slept) == LONGEST_PAUSE


def test_a_timeout_leaves_the_deployment_running_and_names_attach(runtime) -> None:
    with pytest.raises(DeployStillRunning, match="0Af1 continues in the org: not finished after 5 s") as caught:
        follow_deployment(script(RUNNING), "0Af1", None, runtime, 5)
    assert caught.value.deploy_id == "0Af1"
    assert "--attach 0Af1" in caught.value.hint
    assert caught.value.exit_code is ExitCode.RUNNING


def test_a_lost_connection_is_retried(runtime) -> None:
    locked = OrgError("later", code="SERVER_UNAVAILABLE")
    assert follow_deployment(script(PENDING, LOST, LOST, locked, HALF, DONE), "0Af1", None, runtime, 60) == DONE


def test_a_connection_that_stays_lost_leaves_the_deployment_running(runtime, time) -> None:
    started = time.now
    with pytest.raises(DeployStillRunning, match="no route to host"):
        follow_deployment(script(PENDING, LOST), "0Af1", None, runtime, 3600)
    assert SILENCE < time.now - started < SILENCE + 10


def test_an_error_of_the_org_ends_the_polling(runtime, time) -> None:
    with pytest.raises(OrgError, match="bad id"):
        follow_deployment(script(OrgError("bad id", code="INVALID_ID_FIELD")), "0Af1", None, runtime, 60)
    assert time.slept == []
