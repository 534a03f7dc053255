"""After a command is killed at any request, or two commands ran concurrently, the next plan and apply are correct."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest

from sfcode.local import serve
from tests.e2e.cutting_proxy import Cut, proxy
from tests.e2e.journey import Journey
from tests.waiting import PATIENCE


def signed_in(journey: Journey, org) -> Journey:
    journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token}
    return journey


def apply_through(journey: Journey, org, cut: Cut, *words: str) -> int:
    """Apply in a separate process through the proxy, which kills the process at the cut."""
    with proxy(org.url, cut) as url:
        program = journey.spawn("--org", url, *(words or ("apply", "--auto-approve")))
        cut.kill = program.kill
        _, err = program.communicate()
        code = program.wait()
    assert code in (0, -signal.SIGKILL), err
    return code


def end_of(cut: Cut) -> int:
    """Return the expected exit code: that of a killed process, or 0 if the apply ended before the cut."""
    return -signal.SIGKILL if cut.seen >= cut.at else 0


def assert_recovers(journey: Journey, org) -> None:
    """Assert that the next apply succeeds, and that the plan after it is empty."""
    applied = journey.run("--org", org.url, "apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    second_result = journey.run("--org", org.url, "plan", "--detailed-exitcode")
    assert second_result.code == 0, second_result.out


@contextmanager
def fresh(starts, name: str, to):
    """Return a new project and its served org."""
    journey = starts(name, to)
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        yield signed_in(journey, org), org


# A cut before the org receives a request has the same effect as a cut after the previous response, so only the first
# request is cut before the org receives it.


@pytest.mark.parametrize("part", range(2))
def test_a_first_apply_killed_at_any_request_is_completed_by_the_next(starts, tmp_path, part):
    full_run, looked = Cut(), Cut()
    with fresh(starts, "new", tmp_path / "whole") as (journey, org):
        assert apply_through(journey, org, looked, "plan") == 0
        assert apply_through(journey, org, full_run) == 0
    assert full_run.seen > looked.seen > 8, "the journey goes through the proxy"
    # An apply takes the lock, then reads the org, then writes. Of the reading requests only every third one is cut.
    numbers = [*range(1, 7), *range(7, looked.seen, 3), *range(looked.seen, full_run.seen + 1)]
    cuts = [Cut(at=1), *(Cut(at=number, after=True) for number in numbers)]
    for cut in cuts[part::2]:
        with fresh(starts, "new", tmp_path / f"{cut.at}-{cut.after}") as (journey, org):
            assert apply_through(journey, org, cut) == end_of(cut), f"request {cut.at} of {cut.seen}"
            assert_recovers(journey, org)


def test_the_removal_of_a_mapping_killed_at_any_request_is_completed_by_the_next(starts, tmp_path):
    @contextmanager
    def without_lead(name: str):
        """Return an org with the applied lead mapping, and a config without it."""
        with fresh(starts, "visible", tmp_path / name) as (journey, org):
            (journey.folder / "config/mappings/lead.yaml").unlink()
            yield journey, org

    full_run = Cut()
    with without_lead("whole") as (journey, org):
        assert apply_through(journey, org, full_run) == 0
    for number in range(full_run.seen // 2 - 1, full_run.seen + 1):  # the first half of the requests only reads
        with without_lead(f"{number}") as (journey, org):
            cut = Cut(at=number, after=True)
            assert apply_through(journey, org, cut) == end_of(cut), f"request {number} of {cut.seen}"
            assert_recovers(journey, org)


def test_a_killed_apply_with_its_own_local_org_is_completed_by_the_next(journey):
    for lines in range(1, 5):
        process = journey.spawn("apply", "--auto-approve")
        prefix = ("User:", "PermissionSetLicenseAssign:", "Deploying", "PermissionSetAssignment:")[lines - 1]
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(prefix):
                break
        process.kill()
        process.communicate()
        planned = journey.plan()
        assert planned.code == 0, planned.out + planned.err
    assert journey.apply().code == 0
    assert journey.actions() == {}


def test_two_concurrent_applies_leave_the_configured_org(journey):
    with serve(journey.folder / "org") as org:
        signed_in(journey, org)
        processes = [journey.spawn("--org", org.url, "apply", "--auto-approve") for _ in range(2)]
        ends = [(process.communicate(timeout=PATIENCE), process.returncode) for process in processes]
        assert 0 in [code for _, code in ends], ends
        assert not [out for out, code in ends if code not in (0, 1)], ends
        assert not [out for out, _ in ends if "bug in sfcode" in out[1]], ends
        assert_recovers(journey, org)


def test_an_unreachable_org_is_an_error_with_a_hint_and_no_traceback(journey):
    journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": "00D000000000001!abc"}
    result = journey.run("--org", "http://127.0.0.1:9", "plan")
    assert result.code == 1
    assert "127.0.0.1:9" in result.err
    assert "Traceback" not in result.err


def test_a_wrong_token_is_an_error_with_a_hint(journey):
    with serve(journey.folder / "org") as org:
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": "00D000000000001!wrong"}
        result = journey.run("--org", org.url, "plan")
    assert result.code == 1
    assert "INVALID_SESSION_ID" in result.err or "SF_ACCESS_TOKEN" in result.err
    assert "00D000000000001!wrong" not in result.err + result.out
