"""A deployed flow is active, also in production with low test coverage, and its old versions are deleted."""

from __future__ import annotations

from sfcode.apply.flows import KEPT_VERSIONS
from sfcode.local import serve
from sfcode.local.store import Store
from sfcode.metadata.package import zip_files
from sfcode.org.results import DeployOptions
from tests.e2e.org import opened

FLOW = "Appcues_contact"
NS = "http://soap.sforce.com/2006/04/metadata"
SETTING = {
    "package.xml": (
        f'<Package xmlns="{NS}"><types><members>Flow</members><name>Settings</name></types><version>63.0</version></Package>'
    ).encode(),
    "settings/Flow.settings": (
        f'<FlowSettings xmlns="{NS}"><enableFlowDeployAsActiveEnabled>true</enableFlowDeployAsActiveEnabled></FlowSettings>'
    ).encode(),
}


def state(journey):
    return journey.folder / ".sfcode" / "local-org"


def versions(journey):
    """Return the versions of the flow, newest first, and the number of the active one."""
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


def deploy_active_flows_as_active(journey):
    """Turn on the setting with which a deployment is rolled back if no test covers an active flow."""
    with serve(state(journey)) as org, opened(org) as client:
        client.metadata.follow(client.metadata.deploy(zip_files(SETTING), DeployOptions()))


def test_a_flow_is_deployed_as_a_draft_and_then_activated_so_that_no_test_has_to_cover_it(journey):
    make_production(journey)
    deploy_active_flows_as_active(journey)
    result = journey.apply()
    assert result.code == 0, result.err
    assert f"Flow:{FLOW}: activated" in result.out
    rows, active = versions(journey)
    assert active == rows[0]["Id"]
    assert journey.actions() == {}
    journey.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    assert f"Flow:{FLOW}: activated" in journey.apply("--test-level", "RunLocalTests").out
    rows, active = versions(journey)
    assert (len(rows), active) == (2, rows[0]["Id"])
    assert journey.actions() == {}


def test_old_versions_of_managed_flows_are_deleted_long_before_the_platforms_limit(applied):
    output = ""
    for number in range(KEPT_VERSIONS + 1):
        old, new = (
            ("    plan: Plan__c\n", "")
            if number % 2 == 0
            else ("  attributes:\n", "  attributes:\n    plan: Plan__c\n")
        )
        applied.edit("mappings/contact.yaml", old, new)
        result = applied.apply()
        assert result.code == 0, result.err
        output += result.out
    rows, active = versions(applied)
    assert len(rows) == KEPT_VERSIONS
    assert active == rows[0]["Id"]
    assert f"Flow:{FLOW}: 1 old version deleted" in output
