"""The number of requests of a plan, as documented."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import threading
from collections.abc import ItemsView
from pathlib import Path

import pytest

from sfcode.config import load, resolve_secrets
from sfcode.local import serve
from sfcode.org import Runtime, connect
from sfcode.plan.planner import make_plan
from tests.e2e.journey import ENVIRON, Journey
from tests.waiting import PATIENCE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "plan-and-apply.md"
REQUESTS = {
    title: int(count)
    for title, count in re.findall(r"^\| ([^|]+?) \| (\d+)(?: more)? \|$", PAGE.read_text("utf-8"), re.MULTILINE)
}


def count_requests(journey: Journey) -> int:
    """Count the responses that a plan of a project reads."""
    responses: list[None] = []
    plan_with(journey, Runtime(on_response=lambda: responses.append(None)))
    return len(responses)


def plan_with(journey: Journey, runtime: Runtime, kind: type[dict[str, str]] = dict) -> None:
    """Make a plan of a project, with its secrets in a dictionary of the given class."""
    project = load(journey.folder / "config", "local")
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        environ = {"SF_ACCESS_TOKEN": org.access_token}
        with connect(org.url, environ=environ, api_version="63.0", runtime=runtime) as client:
            make_plan(project, client, kind(resolve_secrets(project, journey.environ)))


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)


def test_a_first_plan(journey: Journey) -> None:
    assert count_requests(journey) == REQUESTS["a first plan"]


def test_the_first_two_requests_run_concurrently(journey: Journey) -> None:
    """Neither of the two requests is sent before both are ready."""
    numbers, barrier = itertools.count(1), threading.Barrier(2)

    def wait_for_the_other() -> dict[str, str]:
        if next(numbers) <= barrier.parties:
            barrier.wait(PATIENCE)
        return {}

    plan_with(journey, Runtime(request_headers=wait_for_the_other))


def test_the_queries_of_a_first_plan_run_concurrently(journey: Journey) -> None:
    """The queries for the user, its assignments and the assignees of the permission set run beside the retrieve."""
    numbers, five = itertools.count(1), threading.Barrier(5)

    def wait_for_the_others() -> dict[str, str]:
        if 2 < next(numbers) <= 2 + five.parties:
            five.wait(PATIENCE)
        return {}

    plan_with(journey, Runtime(request_headers=wait_for_the_others))


def test_fingerprints_of_secrets_are_computed_while_the_org_is_read(journey: Journey) -> None:
    """
    The computation of fingerprints is slow on purpose.

    The third request is sent while the first secret is being read.
    """
    barrier, numbers = threading.Barrier(2), itertools.count(1)
    reads = itertools.count(1)

    class Secrets(dict[str, str]):
        def items(self) -> ItemsView[str, str]:
            if next(reads) == 1:
                barrier.wait(PATIENCE)
            return super().items()

    def wait_for_the_secrets() -> dict[str, str]:
        if next(numbers) == 3:
            barrier.wait(PATIENCE)
        return {}

    plan_with(journey, Runtime(request_headers=wait_for_the_secrets), Secrets)


@pytest.mark.parametrize(
    ("first", "call", "later"),
    [
        (
            "sfcode.cli.plan, sfcode.plan.planner as module",
            "_import_what_is_needed_later",
            ["lxml", "sfcode.generate.templates", "sfcode.plan.gather", "sfcode.plan.rules", "sfcode.org.metadata_api"],
        ),
        (
            "sfcode.cli.apply, sfcode.cli.apply_session, sfcode.apply.next_steps, sfcode.apply.session as module",
            "_import_execution",
            ["lxml", "sfcode.apply.execute", "sfcode.apply.package", "sfcode.plan.reports.text"],
        ),
    ],
    ids=["plan", "apply"],
)
def test_modules_that_are_needed_later_are_imported_during_the_first_request(
    first: str, call: str, later: list[str]
) -> None:
    """Modules that are imported before the first request would delay that request."""
    code = f"""\
import sys, sfcode.cli.main, sfcode.config.load, {first}
assert "requests" not in sys.modules
import sfcode.org.connection
later = {{*{later}}}
early = later & {{*sys.modules}}
assert not early, early
module.{call}()
late = later - {{*sys.modules}}
assert not late, late
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_latency_delays_a_plan_of_the_example_by_at_most_1_5_seconds() -> None:
    """With a latency of 100 ms a plan takes at most 1.5 s longer, even if no requests ran concurrently."""
    assert max(REQUESTS["a first plan"], REQUESTS["a plan without changes"]) * 100 <= 1_500


def test_a_plan_without_changes(applied: Journey) -> None:
    assert count_requests(applied) == REQUESTS["a plan without changes"]


def test_a_plan_that_changes_a_flow(applied: Journey) -> None:
    applied.edit("mappings/contact.yaml", "    role: Title", "    role: Title\n    phone: Phone")
    assert count_requests(applied) == REQUESTS["a plan without changes"] + REQUESTS["flows that change, up to 100"]


def test_a_mapping_with_conditions(applied: Journey) -> None:
    before = count_requests(applied)
    applied.edit("mappings/lead.yaml", "direction:", "where: {Company: {blank: false}}\ndirection:")
    more = REQUESTS["each mapping with `where`"] + REQUESTS["flows that change, up to 100"]
    assert count_requests(applied) == before + more
