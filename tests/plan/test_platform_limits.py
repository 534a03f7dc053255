"""A plan beyond a limit of the platform is refused before the first step, with the number and the limit."""

from __future__ import annotations

import base64
import random
from dataclasses import replace

import pytest

from sfcode.mapping.limits import FLOW_VERSIONS
from sfcode.metadata.archive import zip_files
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write
from sfcode.plan import limits, state_format
from sfcode.plan.modes import Mode
from sfcode.plan.next_state import Mark, state_after
from sfcode.plan.state import Applied, Past, state_address
from sfcode.plan.state_format import to_component
from tests.plan.samples import build, desired, observed

PACKAGE_FILES, PACKAGE_SIZE = 100, 390_000
STATIC_RESOURCE_SIZE, STATE_SIZE = 520_000, 100_000
DIVIDE = "divide the project into two, each with half of the mappings, its own `name` and its own integration user"


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    """Reduce the limits to a hundredth and a tenth, so that they are reached faster."""
    for module in (limits, state_format):
        monkeypatch.setattr(module, "STATIC_RESOURCE_SIZE", STATIC_RESOURCE_SIZE)
        monkeypatch.setattr(module, "STATE_SIZE", STATE_SIZE)
    monkeypatch.setattr(limits, "PACKAGE_FILES", PACKAGE_FILES)
    monkeypatch.setattr(limits, "_FURTHER_BYTES", 6_000)


def text(seed: object, size: int) -> str:
    """Return a text that still has this size when it is compressed and encoded in base64."""
    return base64.b64encode(random.Random(str(seed)).randbytes(size * 3 // 4)).decode()


def flow(name: str, description: str = "") -> Component:
    return Component("Flow", name, {"label": name, "description": description})


def field(number: int, description: str = "") -> Component:
    body = {"label": "X", "type": "Number", "precision": 3, "scale": 0, "description": description}
    return Component("CustomField", f"Contact.X{number}__c", body)


def reasons(plan):
    return [str(refusal) for refusal in plan.refusals]


def test_a_package_of_too_many_files_is_refused(project):
    fits = PACKAGE_FILES - 4  # besides package.xml, the deletions, and the two files of the state
    flows = [flow(f"F{number}") for number in range(fits)]
    assert reasons(build(project, desired(*flows), observed())) == []
    assert reasons(build(project, desired(*flows, flow("More")), observed())) == [
        f"this plan's package has 101 files, and Salesforce allows 100; {DIVIDE}"
    ]


def test_fields_of_one_object_are_one_file(project):
    assert reasons(build(project, desired(*map(field, range(PACKAGE_FILES))), observed())) == []


@pytest.mark.parametrize(("beyond", "refused"), [(0, False), (1, True)])
def test_a_package_of_too_many_bytes_is_refused(project, monkeypatch, beyond, refused):
    flows = [flow("A", text(1, PACKAGE_SIZE // 2)), flow("B", text(2, PACKAGE_SIZE // 2))]
    size = len(zip_files(write(flows, project.settings.salesforce.api_version)))
    monkeypatch.setattr(limits, "PACKAGE_SIZE", size - beyond)
    reason = f"this plan's package has 0.3 MB, and Salesforce allows 0.3 MB; {DIVIDE}"
    assert reasons(build(project, desired(*flows), observed())) == [reason] * refused


@pytest.mark.parametrize(("count", "refused"), [(FLOW_VERSIONS - 1, False), (FLOW_VERSIONS, True)])
def test_a_flow_without_room_for_another_version_is_refused(project, count, refused):
    before, after = flow("F", "old"), flow("F", "new")
    snapshot = observed(before, applied=(before,), flow_counts={before.address: count})
    assert (
        reasons(build(project, desired(after), snapshot))
        == ["Flow:F has 50 versions, and Salesforce keeps 50; delete old versions of it in Setup > Flows"] * refused
    )
    assert reasons(build(project, desired(before), snapshot)) == [], "nothing of it is deployed"


FORMULA, SUMMARY = {"type": "Number", "formula": "1"}, {"type": "Summary"}
NUMBER, TEXT = {"type": "Number"}, {"type": "Text"}
LOOKUP, DETAIL = {"type": "Lookup"}, {"type": "MasterDetail"}


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (NUMBER, TEXT, None),  # an org decides by the values
        (FORMULA, {**FORMULA, "type": "Text", "formula": "2"}, None),
        (FORMULA, NUMBER, ("Formula", "Number")),
        (NUMBER, FORMULA, ("Number", "Formula")),
        (LOOKUP, DETAIL, ("Lookup", "MasterDetail")),
        (DETAIL, LOOKUP, ("MasterDetail", "Lookup")),
        (NUMBER, SUMMARY, ("Number", "Summary")),
        (SUMMARY, NUMBER, ("Summary", "Number")),
    ],
)
def test_a_change_of_a_field_type_that_no_deployment_converts_is_refused(project, before, after, kinds):
    old, new = (Component("CustomField", "Contact.A__c", body) for body in (before, after))
    plan = build(project, desired(new), observed(old, applied=(old,)))
    remedy = "remove it from the config, apply, and add it again, which deletes its values"
    reason = "CustomField:Contact.A__c is a field of the kind {} in the org, which a deployment cannot convert to {}"
    hint = f"convert it in Setup, then plan again; or {remedy}" if "MasterDetail" in (kinds or ()) else remedy
    assert reasons(plan) == ([f"{reason.format(*kinds)}; {hint}"] if kinds else [])


def test_an_unmanaged_field_of_such_a_kind_needs_another_name(project):
    """Adopting the field would not help, so that the plan does not advise it."""
    old, new = (Component("CustomField", "Contact.A__c", body) for body in (FORMULA, TEXT))
    for adopted in ((), (old.address,)):
        (reason,) = reasons(build(project, desired(new), observed(old), adopt=adopted))
        assert reason.endswith(
            " in the org, which a deployment cannot convert to Text; choose another name in the config"
        )


@pytest.mark.parametrize(("beyond", "refused"), [(0, False), (1, True)])
def test_a_state_larger_than_a_static_resource_is_refused(project, monkeypatch, beyond, refused):
    large = desired(field(1, text(1, STATIC_RESOURCE_SIZE - 20_000)), field(2, text(2, 20_000)))
    plan = build(project, large, observed())
    mark = Mark(plan.target.username, "", "0" * 40)
    size, _ = state_format.measure_state(state_after(plan, large.components, mark))
    limit = size + 6_000 - beyond
    monkeypatch.setattr(limits, "STATIC_RESOURCE_SIZE", limit)
    reason = f"this plan would result in a state of 0.5 MB, and a static resource has at most 0.5 MB; {DIVIDE}"
    assert reasons(build(project, large, observed())) == [reason] * refused


def test_the_state_between_two_deployments_is_measured(project):
    old_flow, half = flow("Old"), STATIC_RESOURCE_SIZE * 6 // 10
    old, new = field(1, text(1, half)), field(2, text(2, half))
    snapshot = observed(old_flow, old, applied=(old_flow, old), values={old.address: 0})
    (reason,) = reasons(build(project, desired(new), snapshot))
    assert reason.startswith("this plan would result in a state of 0.6 MB")


def applied_before(*sizes: int) -> Applied:
    """Return a state with applies that replaced texts of these sizes, newest first."""
    bodies = [{**field(1).body, "description": text(number, size)} for number, size in enumerate(sizes)]
    history = [
        Past(f"id-{number}", "2026-03-01T12:00:00Z", "me", None, {field(1).address: body}, frozenset())
        for number, body in enumerate(bodies)
    ]
    return Applied({field(1).address: field(1).body}, history=tuple(history))


def planned(project, applied: Applied, after: Component):
    snapshot = replace(observed(field(1)), applied=applied, state=to_component(state_address("Appcues"), applied))
    return build(project, desired(after), snapshot)


def test_applies_that_the_state_has_no_room_for_are_named(project):
    third = STATE_SIZE * 3 // 10
    plan = planned(project, applied_before(third, third, third), field(1, text("new", third)))
    assert reasons(plan) == []
    (warning,) = [warning for warning in plan.warnings if "rollback" in warning]
    assert warning.startswith(
        "the state in the org keeps what 3 of the last 4 applies replaced, since its size is limited to 0.1 MB"
    )
    assert warning.endswith("; no rollback is possible of id-2 of 2026-03-01T12:00:00Z")


def test_applies_that_the_state_has_room_for_are_not(project):
    third = STATE_SIZE * 3 // 10
    plan = planned(project, applied_before(third, third), field(1, text("new", third)))
    assert [warning for warning in plan.warnings if "rollback" in warning] == []
    plan = planned(project, applied_before(*[10] * 5), field(1, "new"))
    assert [warning for warning in plan.warnings if "rollback" in warning] == [], "the sixth apply goes, as always"


def test_a_plan_that_changes_nothing_is_not_refused(project):
    present_field = field(1, text(1, STATIC_RESOURCE_SIZE))
    plan = build(project, desired(present_field), observed(present_field, applied=(present_field,)))
    assert plan.is_empty
    assert reasons(plan) == []


def test_a_rollback_keeps_to_the_limits_too(project):
    body = {**field(1).body, "description": text(1, STATIC_RESOURCE_SIZE)}
    past = Past("id-1", "then", "me", None, {field(1).address: body}, frozenset({field(1).address}))
    snapshot = replace(
        observed(field(1), applied=(field(1),)), applied=Applied({field(1).address: field(1).body}, history=(past,))
    )
    plan = build(project, desired(), snapshot, mode=Mode.ROLLBACK)
    assert [reason for reason in reasons(plan) if reason.startswith("this plan would result in a state of 0.5 MB")]


def test_addresses_are_compared_without_case(project):
    before, after = flow("f", "old"), flow("F", "new")
    snapshot = observed(before, applied=(before,), flow_counts={Address("Flow", "F"): FLOW_VERSIONS})
    assert len(reasons(build(project, desired(after), snapshot))) == 1
