"""For any two successive configs: a refused apply changes nothing, and after a successful one the plan is empty."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as some

from sfcode.apply.execute import Execution
from sfcode.apply.lock import Lock
from sfcode.errors import DeployFailed
from sfcode.local import serve
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from sfcode.org.results import DeployOptions
from sfcode.plan.change import Change
from sfcode.plan.modes import PlanRequest
from sfcode.plan.next_state import Mark
from sfcode.plan.planner import make_plan
from sfcode.plan.state import state_address
from sfcode.plan.state_format import from_component
from tests.e2e.org import opened
from tests.generate.projects import project, settings
from tests.generate.test_templates import CERTIFICATE

STATE = state_address("Appcues")
SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": "0123456789abcdef0123456789abcdef"}
FIELDS = ("Title", "Email", "Phone", "FirstName", "LastName", "OwnerId", "LastModifiedDate")
ATTRIBUTES = some.dictionaries(
    some.sampled_from(["role", "mail", "plan", "owner"]), some.sampled_from(FIELDS), min_size=1, max_size=4
)


@some.composite
def mappings(draw, name):
    direction = draw(some.sampled_from(["both", "to_appcues", "to_salesforce"]))
    created = draw(some.booleans())
    mapping = {
        "object": name,
        "direction": direction,
        "delivery": draw(some.sampled_from(["relay", "relay", "connector"])),
        "user_id": {"field": "Appcues_User_Id__c", "from": "Product_User_Id__c"},
    }
    if direction != "to_salesforce":
        attributes = {key: {"field": field} for key, field in draw(ATTRIBUTES).items()}
        on = draw(some.sampled_from([["create"], ["update"], ["create", "update"]]))
        mapping["to_appcues"] = {"attributes": attributes, "on": on}
        mapping["to_appcues"]["trigger"] = draw(some.sampled_from(["flow", "flow", "workflow_rule"]))
    if direction != "to_appcues":
        score = {"field": draw(some.sampled_from(["Appcues_Score__c", "Appcues_NPS__c"])), "create": True}
        mapping["to_salesforce"] = {
            "nps": {"score": score} if created else {},
            "activities": draw(some.sampled_from([["nps_score"], ["nps_score", "flow_completed"]])),
        }
    return mapping


@some.composite
def projects(draw):
    names = draw(some.sampled_from([("Contact",), ("Lead",), ("Contact", "Lead")]))
    config = settings()
    config["relay"]["activities_as"] = draw(some.sampled_from(["event", "task"]))
    config["integration_user"]["access"] = draw(some.sampled_from(["least_privilege", "documented"]))
    if draw(some.booleans()):
        config["relay"]["sign_in"] = {"flow": "jwt", "certificate": CERTIFICATE}
    return project({name.lower(): draw(mappings(name)) for name in names}, config)


BROKEN = Component(
    "PermissionSet",
    "Broken",
    {"label": "Broken", "fieldPermissions": {"Contact.No_Such__c": {"editable": True, "readable": True}}},
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Serve one org for all examples, with a function that reads everything in it."""
    state = tmp_path_factory.mktemp("org")

    def metadata():
        with Store(state / "org.db") as store, store.read() as tx:
            components = {stored.component.address: stored.component.canonical for stored in tx.components.list_all()}
            # The state is compared without records, since an apply writes the planned records to it before it creates
            # them.
            body = components.pop(STATE, None)
            applied = (
                from_component(Component(STATE.type, STATE.full_name, json.loads(body))).components if body else {}
            )
            return (
                components,
                applied,
                [(version.full_name, version.number, version.status) for version in tx.flows.versions()],
            )

    with serve(state) as org, opened(org) as client:
        yield client, metadata


def planned(target_project, client):
    """Plan with the options that the plan's refusals ask for."""
    plan_result = make_plan(target_project, client, SECRETS)
    addresses = [refusal.address for refusal in plan_result.plan.refusals]
    return (
        make_plan(target_project, client, SECRETS, PlanRequest(allow_delete=tuple(addresses)))
        if addresses
        else plan_result
    )


def execute(plan, client, plan_result):
    mark = Mark(by="me", at="2026-01-01T00:00:00Z", id="1", applied=plan_result.snapshot.applied)
    options = DeployOptions()
    execution = Execution(
        plan, client, SECRETS, origins=(), mark=mark, options=options, report=lambda _: None, lock=Lock()
    )
    return execution.run().deployments


@examples(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(generated_project=projects())
def test_an_apply_changes_nothing_or_leaves_an_empty_plan(place, generated_project):
    client, metadata = place
    first_result = planned(generated_project, client)
    assert first_result.plan.refusals == ()
    before = metadata()
    broken_plan = replace(first_result.plan, changes=(*first_result.plan.changes, Change(BROKEN.address, None, BROKEN)))
    with pytest.raises(DeployFailed, match="No_Such__c"):
        execute(broken_plan, client, first_result)
    assert metadata() == before, "a refused deployment leaves every component as it was"
    second_result = planned(generated_project, client)
    execute(second_result.plan, client, second_result)
    last_plan = planned(generated_project, client).plan
    assert [(str(change.address), change.action) for change in last_plan.effective] == []
    assert last_plan.is_empty
