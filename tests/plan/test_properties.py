"""For any config, org and history: after the execution of a plan, the next plan is empty."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from sfcode.metadata.component import Component
from sfcode.plan.change import Action, Cause
from sfcode.plan.document import load, save
from tests.plan.samples import SECRETS, build, desired, observed

NAMES = [f"Contact.F{letter}__c" for letter in "ABCD"]
BODIES = some.fixed_dictionaries(
    {"label": some.sampled_from(["One", "Two"]), "type": some.just("Text")},
    optional={"description": some.sampled_from(["x", "y"]), "length": some.integers(1, 3), "required": some.booleans()},
)
SIDES = some.dictionaries(some.sampled_from(NAMES), BODIES).map(
    lambda bodies: tuple(Component("CustomField", name, body) for name, body in sorted(bodies.items()))
)


def plan_of(project, config_components, org_components, applied):
    adopt = [component.address for component in org_components]
    adopt = [address for address in adopt if address in {component.address for component in config_components}]
    return build(
        project, desired(*config_components), observed(*org_components, applied=applied), secrets=SECRETS, adopt=adopt
    )


@given(desired_components=SIDES, observed_components=SIDES, applied=SIDES)
def test_plan_after_apply_is_empty(project, desired_components, observed_components, applied):
    plan = plan_of(project, desired_components, observed_components, applied)
    org = {component.address: component for component in observed_components}
    for change in plan.effective:
        if change.after:
            org[change.address] = change.after
        else:
            del org[change.address]
    assert plan_of(project, desired_components, tuple(org.values()), plan.list_desired()).is_empty


@given(desired_components=SIDES, observed_components=SIDES, applied=SIDES)
def test_unmanaged_components_outside_the_config_are_never_changed(
    project, desired_components, observed_components, applied
):
    touched = {
        change.address for change in plan_of(project, desired_components, observed_components, applied).effective
    }
    assert touched <= {component.address for component in (*desired_components, *applied)}


@given(desired_components=SIDES, observed_components=SIDES, applied=SIDES)
def test_an_attribute_is_drift_only_if_the_config_did_not_change_it(
    project, desired_components, observed_components, applied
):
    applied_by_address = {component.address: component for component in applied}
    for change in plan_of(project, desired_components, observed_components, applied).effective:
        causes = {change.cause(attribute.path) for attribute in change.attributes}
        if change.address not in applied_by_address:
            assert causes <= {Cause.CONFIG}
        if change.after == applied_by_address.get(change.address):
            assert causes <= {Cause.DRIFT}, "the org alone has moved"
        if change.before == applied_by_address.get(change.address):
            assert causes <= {Cause.CONFIG}, "the config alone has moved"


@given(desired_components=SIDES, observed_components=SIDES, applied=SIDES)
def test_a_saved_plan_makes_the_same_changes(
    project, tmp_path_factory, desired_components, observed_components, applied
):
    plan = plan_of(project, desired_components, observed_components, applied)
    path = tmp_path_factory.getbasetemp() / "plan.json"
    save(plan, path)
    loaded_plan = load(path)
    assert loaded_plan.effective == plan.effective
    assert loaded_plan.list_desired() == plan.list_desired()
    assert {action: loaded_plan.count(action) for action in Action} == {action: plan.count(action) for action in Action}
