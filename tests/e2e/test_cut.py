"""Killed at any moment, twice at once, out of reach: the next plan and apply are right."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest

from sfcode.local import serve
from tests.e2e.cutting_proxy import Cut, proxy
from tests.e2e.journey import Journey
from tests.e2e.org import show_fields


def signed_in(journey: Journey, org) -> Journey:
    journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token}
    return journey


def apply_through(journey: Journey, org, cut: Cut) -> int:
    """Apply as a program of its own through the proxy; it is killed at the cut."""
    with proxy(org.url, cut) as url:
        process = journey.spawn("--org", url, "apply", "--auto-approve")
        cut.kill = process.kill
        _, err = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), err
    return process.returncode


def mends(journey: Journey, org) -> None:
    """The next plan is not refused, the next apply works, and then there is nothing left to do."""
    planned = journey.run("--org", org.url, "plan")
    assert planned.code == 0, planned.out + planned.err
    applied = journey.run("--org", org.url, "apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    again = journey.run("--org", org.url, "plan", "--detailed-exitcode")
    assert again.code == 0, again.out


@pytest.mark.parametrize("after", [False, True], ids=["before-the-org-sees-it", "after-the-org-did-it"])
@pytest.mark.parametrize("part", range(3))
def test_a_first_apply_killed_at_any_request_is_mended_by_the_next(tmp_path, after, part):
    journey = Journey.start(tmp_path)
    whole = Cut()
    with serve(tmp_path / "whole") as org:
        assert apply_through(signed_in(journey, org), org, whole) == 0
    assert whole.seen > 8, "the journey goes through the proxy"
    for number in range(1 + part, whole.seen + 1, 3):
        with serve(tmp_path / f"org-{number}") as org:
            cut = Cut(at=number, after=after)
            assert apply_through(signed_in(journey, org), org, cut) == -signal.SIGKILL, f"request {number}"
            mends(journey, org)


@pytest.mark.parametrize("after", [False, True], ids=["before-the-org-sees-it", "after-the-org-did-it"])
def test_the_removal_of_a_mapping_killed_at_any_request_is_mended_by_the_next(tmp_path, after):
    journey = Journey.start(tmp_path)
    lead = journey.folder / "config/mappings/lead.yaml"
    text = lead.read_text()

    @contextmanager
    def without_lead(name: str):
        """Give an org in which the lead mapping is applied, and a config that has it no more."""
        lead.write_text(text)
        with serve(tmp_path / name) as org:
            signed_in(journey, org)
            assert journey.run("--org", org.url, "apply", "--auto-approve").code == 0
            show_fields(org)
            lead.unlink()
            yield org

    whole = Cut()
    with without_lead("whole") as org:
        assert apply_through(journey, org, whole) == 0
    for number in range(whole.seen // 2, whole.seen + 1):  # the first half only reads
        with without_lead(f"org-{number}") as org:
            assert apply_through(journey, org, Cut(at=number, after=after)) == -signal.SIGKILL
            mends(journey, org)


def test_an_apply_that_serves_its_own_local_org_may_be_killed_too(journey):
    for lines in range(1, 5):
        process = journey.spawn("apply", "--auto-approve")
        wanted = ("User:", "PermissionSetLicenseAssign:", "Deploying", "PermissionSetAssignment:")[lines - 1]
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(wanted):
                break
        process.kill()
        process.communicate()
        planned = journey.plan()
        assert planned.code == 0, planned.out + planned.err
    assert journey.apply().code == 0
    assert journey.actions() == {}


def test_two_applies_at_once_end_in_one_right_org(journey):
    with serve(journey.folder / "org") as org:
        signed_in(journey, org)
        both = [journey.spawn("--org", org.url, "apply", "--auto-approve") for _ in range(2)]
        ends = [(process.communicate(timeout=90), process.returncode) for process in both]
        assert 0 in [code for _, code in ends], ends
        assert not [out for out, code in ends if code not in (0, 1)], ends
        assert not [out for out, _ in ends if "bug in sfcode" in out[1]], ends
        mends(journey, org)


def test_no_org_in_reach_is_an_error_with_a_cure_and_no_traceback(journey):
    journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": "00D000000000001!abc"}
    result = journey.run("--org", "http://127.0.0.1:9", "plan")
    assert result.code == 1
    assert "127.0.0.1:9" in result.err
    assert "Traceback" not in result.err


def test_a_wrong_token_is_an_error_with_a_cure(journey):
    with serve(journey.folder / "org") as org:
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": "00D000000000001!wrong"}
        result = journey.run("--org", org.url, "plan")
    assert result.code == 1
    assert "INVALID_SESSION_ID" in result.err or "SF_ACCESS_TOKEN" in result.err
    assert "00D000000000001!wrong" not in result.err + result.out
