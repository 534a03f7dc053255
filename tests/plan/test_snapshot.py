"""The data of a plan: fingerprints of all observed components, applied values, adopted and released addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.config.project import Project
from sfcode.metadata.component import Address, Component
from sfcode.plan.modes import Mode, PlanRequest
from sfcode.plan.secrets import fingerprint
from sfcode.plan.snapshot import OrgSnapshot, PlanInput
from sfcode.plan.state import Applied, state_address
from sfcode.plan.state_format import to_component
from tests.plan.samples import TARGET, desired, number, observed

A, B = number("A__c"), number("B__c")
MESSAGE = Component(
    "WorkflowOutboundMessage", "Contact.M", {"endpointUrl": "https://r.example.com/${secret:OUT}", "fields": ["A__c"]}
)
OLD, NEW = "old-0123456789", "new-0123456789"
PREVIOUS = "https://r.example.com/(previous ${secret:OUT})"


def test_the_applied_state_is_observed_like_everything_else_and_all_is_sorted() -> None:
    state = to_component(state_address("Appcues"), Applied())
    snapshot = OrgSnapshot(TARGET, {B.address: B, A.address: A}, state=state)
    assert list(snapshot.fingerprints()) == [str(A.address), str(B.address), str(state.address)]
    assert snapshot.fingerprints()[str(state.address)] == state.fingerprint
    assert list(replace(snapshot, state=None).fingerprints()) == [str(A.address), str(B.address)]


class TestApplied:
    def endpoint(self, project: Project, former: str, now: dict[str, str], org_id: str | None = None) -> str:
        state = Applied({MESSAGE.address: MESSAGE.body}, secrets={"OUT": former} if former else {}, org_id=org_id)
        plan_input = PlanInput(project, desired(), replace(observed(), applied=state), now)
        return str(plan_input.applied[MESSAGE.address].body["endpointUrl"])

    def test_a_secret_of_another_value_is_marked_as_previous(self, project: Project) -> None:
        former, now = (fingerprint(value, TARGET.org_id) for value in (OLD, NEW))
        assert self.endpoint(project, former, {"OUT": now}) == PREVIOUS
        assert self.endpoint(project, former, {"OUT": now}, TARGET.org_id) == PREVIOUS

    def test_equal_unset_and_unapplied_secrets_are_not_marked_as_previous(self, project: Project) -> None:
        former = fingerprint(OLD, TARGET.org_id)
        plain = MESSAGE.body["endpointUrl"]
        assert self.endpoint(project, former, {"OUT": former}) == plain
        assert self.endpoint(project, former, {}) == plain
        assert self.endpoint(project, "", {"OUT": former}) == plain

    def test_fingerprints_of_the_org_that_was_copied_say_nothing(self, project: Project) -> None:
        former, now = fingerprint(OLD, "00D000000000009EAA"), fingerprint(OLD, TARGET.org_id)
        assert self.endpoint(project, former, {"OUT": now}, "00D000000000009EAA") == MESSAGE.body["endpointUrl"]


class TestReleased:
    def released(
        self, project: Project, *desired_components: Component, mode: Mode = Mode.APPLY, **values: object
    ) -> set[Address]:
        snapshot = replace(observed(A, MESSAGE, applied=(A, MESSAGE)), **values)
        return set(PlanInput(project, desired(*desired_components), snapshot, {}, PlanRequest(mode)).released)

    def test_is_a_component_outside_the_config_that_is_still_referred_to(self, project: Project) -> None:
        assert self.released(project, MESSAGE) == {A.address}

    def test_is_no_component_that_is_desired_unreferenced_or_missing(self, project: Project) -> None:
        assert self.released(project, MESSAGE, A) == set()
        assert self.released(project, replace(MESSAGE, body={"fields": ["Id"]})) == set()
        assert self.released(project, MESSAGE, components={MESSAGE.address: MESSAGE}) == set()

    @pytest.mark.parametrize("mode", [Mode.DESTROY, Mode.ROLLBACK, Mode.REFRESH])
    def test_is_nothing_in_any_other_mode(self, project: Project, mode: Mode) -> None:
        assert self.released(project, MESSAGE, mode=mode) == set()


def test_adopted_addresses_are_those_of_the_options_and_the_config(project: Project) -> None:
    settings = project.settings.model_copy(update={"as_is": (str(B.address),)})
    (mapping,) = project.mappings
    changed = replace(project, settings=settings, mappings=(mapping,))
    plan_input = PlanInput(changed, desired(), observed(), {}, PlanRequest(adopt=(A.address,)))
    assert plan_input.adopted == {A.address, B.address}
