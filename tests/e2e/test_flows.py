"""A deployed flow is the active one, also in production, and its versions stay few."""

from __future__ import annotations

from sfcode.apply.flows import KEPT_VERSIONS
from sfcode.local import serve
from sfcode.local.store import Store
from tests.e2e.org import opened

FLOW = "Appcues_contact"


def state(journey):
    return journey.folder / ".sfcode" / "local-org"


def versions(journey):
    """Read the flow's versions, newest first, and which one is active."""
    with serve(state(journey)) as org, opened(org) as client:
        (flow,) = client.tooling_query("SELECT Id, ActiveVersionId FROM FlowDefinition WHERE DeveloperName = {}", FLOW)
        rows = client.tooling_query(
            "SELECT Id, VersionNumber FROM Flow WHERE DefinitionId = {} ORDER BY VersionNumber DESC", flow["Id"]
        )
    return rows, flow["ActiveVersionId"]


def make_production(journey):
    with serve(state(journey)) as org:
        assert org.url
    store = Store(state(journey) / "org.db")
    with store.transaction() as tx:
        tx.settings.set("production", "true")
    store.close()


def test_a_flow_that_comes_in_inactive_is_activated_and_that_is_said(journey):
    make_production(journey)
    done = journey.apply()
    assert done.code == 0, done.err
    assert f"Flow:{FLOW}: came in inactive, as in production; activated" in done.out
    rows, active = versions(journey)
    assert active == rows[0]["Id"]
    assert journey.actions() == {}
    journey.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert "came in inactive" in journey.apply().out
    rows, active = versions(journey)
    assert (len(rows), active) == (2, rows[0]["Id"])
    assert journey.actions() == {}


def test_old_versions_of_our_flows_are_deleted_long_before_the_platforms_limit(applied):
    said = ""
    for number in range(KEPT_VERSIONS + 1):
        old, new = (
            ("    plan: Plan__c\n", "")
            if number % 2 == 0
            else ("  attributes:\n", "  attributes:\n    plan: Plan__c\n")
        )
        applied.edit("mappings/contact.yaml", old, new)
        done = applied.apply()
        assert done.code == 0, done.err
        said += done.out
    rows, active = versions(applied)
    assert len(rows) == KEPT_VERSIONS
    assert active == rows[0]["Id"]
    assert f"Flow:{FLOW}: 1 old version deleted" in said
