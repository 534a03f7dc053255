"""
The time per mapping does not grow with the number of mappings, since no code compares pairs of mappings.

The test counts calls instead of seconds, since the number of calls does not depend on the machine.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

import sfcode
from benchmarks.many_mappings import fill_org, write_project
from sfcode.apply.package import package
from sfcode.apply.steps import Deploy, steps
from sfcode.checks.snapshot import Folder, Snapshot, take_snapshot
from sfcode.cli.plan_output import add_provenance, judge
from sfcode.config import Project, load
from sfcode.generate import generate
from sfcode.lazy_dataclasses import replace
from sfcode.local import serve
from sfcode.mapping.desired import Desired
from sfcode.metadata.objects import standard
from sfcode.plan.next_state import Mark
from sfcode.plan.reports import FORMATS, ReportOptions, render_plan
from sfcode.plan.rules import build_plan
from sfcode.plan.snapshot import OrgSnapshot, PlanInput
from sfcode.plan.state import Applied
from sfcode.review.review import review
from tests.e2e.journey import SECRET, Journey
from tests.plan.samples import TARGET

SOURCE = str(Path(sfcode.__file__).parent) + os.sep
TOLERANCE = 0.05
"""The tolerance for sorting, which needs more comparisons per component the more components there are."""


def count_calls(action: Callable[[], object], *, without: str = "") -> int:
    """
    Count the calls of sfcode's functions in this thread, and their calls of C functions, as in comprehensions.

    The functions of one package are left out.
    """
    calls = 0
    package = SOURCE + (without or "none") + os.sep

    def note(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        file = frame.f_code.co_filename
        calls += event in ("call", "c_call") and file.startswith(SOURCE) and not file.startswith(package)

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls


def assert_linear(calls: list[int]) -> None:
    """Check that equal numbers of additional mappings need equal numbers of additional calls."""
    once, twice, thrice = calls
    assert thrice - twice <= (twice - once) * (1 + TOLERANCE), calls


def start(folder: Path, mappings: int) -> Journey:
    folder.mkdir()
    write_project(folder, mappings)
    return Journey(folder)


def run(journey: Journey, *words: str) -> None:
    result = journey.run(*words)
    assert result.code == 0, result.err


def test_validate(tmp_path: Path) -> None:
    journeys = [start(tmp_path / str(count), count) for count in (1, 8, 16, 24)]
    _, *calls = [count_calls(lambda: run(journey, "validate")) for journey in journeys]  # noqa: B023
    assert_linear(calls)


def test_validate_with_one_object_that_is_divided_by_a_value(tmp_path: Path) -> None:
    journeys = [start(tmp_path / str(count), count) for count in (1, 8, 16, 24)]
    for journey in journeys:
        for number, path in enumerate(sorted((journey.folder / "config" / "mappings").glob("*.yaml"))):
            text = re.sub(r"Thing\d+__c\n", f"Thing__c\nwhere: {{Kind__c: [k{number}]}}\n", path.read_text("utf-8"))
            text = text.replace("{field: Appcues_User_Id__c, from: Product_User_Id__c}", "Key__c")
            path.write_text(text.replace("Appcues_NPS_Score", f"Score_{number}"), "utf-8")
    _, *calls = [count_calls(lambda: run(journey, "validate")) for journey in journeys]  # noqa: B023
    assert_linear(calls)


def test_import(tmp_path: Path) -> None:
    """Calls of the org's client are not counted, since the number of polls of a retrieve varies."""
    fill_org(tmp_path / "org", 12)
    with serve(tmp_path / "org") as org:
        journey = Journey(tmp_path, {"SF_ACCESS_TOKEN": org.access_token})
        options = ("--user-id-field", "Field0__c", "--direction", "to_appcues", "--attribute", "first=Field1__c")
        words = ("--org", org.url, "import", "--name", "Imported", *options, "--dry-run")
        calls = []
        for count in (1, 4, 8, 12):
            objects = (word for number in range(count) for word in ("--object", f"Thing{number}__c"))
            folder = ("--config", f"imported-{count}")
            calls.append(count_calls(lambda: run(journey, *folder, *words, *objects), without="org"))  # noqa: B023
    assert_linear(calls[1:])


def test_resolving_the_mappings(tmp_path: Path) -> None:
    project = load(start(tmp_path / "project", 1).folder / "config", "local")
    calls = []
    for count in (50, 100, 150):
        mappings = tuple(replace(project.mappings[0], name=f"mapping_{number}") for number in range(count))
        larger = replace(project, mappings=mappings)
        calls.append(count_calls(lambda: larger.resolved))  # noqa: B023
    assert_linear(calls)


def snapshot(folder: Path, mappings: int, attribute: str) -> dict[str, Snapshot]:
    folder.mkdir()
    write_project(folder, mappings)
    for path in (folder / "config" / "mappings").glob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("thing_0:", f"{attribute}:"), "utf-8")
    config = Folder(folder / "config", Path("config"))
    return {"local": take_snapshot(load(config.path, "local", name=config.name), config, generate)}


def test_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFCODE_RELAY_OUTBOUND_SECRET", SECRET)
    calls = []
    for count in (1, 5, 10, 15):
        before = snapshot(tmp_path / f"before-{count}", count, "first")
        after = snapshot(tmp_path / f"after-{count}", count, "other")
        calls.append(count_calls(lambda: review(before, after, base_environments=("local",))))  # noqa: B023
    assert_linear(calls[1:])


def plan_and_package(project: Project, desired: Desired, snapshot: OrgSnapshot) -> None:
    """Make a plan and its packages, as an apply does between its requests."""
    plan = build_plan(PlanInput(project, desired, snapshot, generated=desired))
    for step in steps(plan):
        if isinstance(step, Deploy):
            package(plan, step, Mark("me", "now", applied=snapshot.applied), {"SFCODE_RELAY_OUTBOUND_SECRET": SECRET})


def test_an_apply_and_one_that_deletes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFCODE_RELAY_OUTBOUND_SECRET", SECRET)
    creating, deleting = [], []
    for count in (1, 8, 16, 24):
        config = start(tmp_path / str(count), count).folder / "config"
        project = load(config, "local")
        desired = generate(project, standard())
        creating.append(count_calls(lambda: plan_and_package(project, desired, OrgSnapshot(TARGET))))  # noqa: B023
        for number in range(count // 2):
            (config / "mappings" / f"thing_{number}.yaml").unlink()
        half = load(config, "local")
        rest = generate(half, standard())
        applied = Applied({component.address: component.body for component in desired.components}, half.settings.name)
        snapshot = OrgSnapshot(TARGET, desired.by_address, applied)
        deleting.append(count_calls(lambda: plan_and_package(half, rest, snapshot)))  # noqa: B023
    assert_linear(creating[1:])
    assert_linear(deleting[1:])


@pytest.mark.parametrize("format_", FORMATS)
def test_a_report_with_the_lines_of_its_changes(format_: str, tmp_path: Path) -> None:
    calls = []
    for count in (1, 8, 16, 24):
        config = start(tmp_path / str(count), count).folder / "config"
        project = load(config, "local")
        desired = generate(project, standard())
        plan = build_plan(PlanInput(project, desired, OrgSnapshot(TARGET), generated=desired))

        def report() -> None:
            "".join(render_plan(add_provenance(plan, desired, config), format_, ReportOptions(judge=judge)))  # noqa: B023

        calls.append(count_calls(report))
    assert_linear(calls[1:])
