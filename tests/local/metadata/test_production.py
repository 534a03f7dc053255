"""A production org: deploys are all or nothing, tests cannot be skipped, and flows are deployed as inactive."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from sfcode.local import load, seed

SETTINGS = "<enableFlowDeployAsActiveEnabled>true</enableFlowDeployAsActiveEnabled>"


@pytest.fixture
def production(org, tmp_path: Path):
    """Load a company with `production: true`."""
    shipped = files("sfcode.local.seed").joinpath(f"{seed.SEED}.yaml").read_text("utf-8")
    path = tmp_path / "company.yaml"
    path.write_text(shipped.replace("production: false", "production: true"), encoding="utf-8")
    load(org.state, path)
    return org


def _statuses(org) -> list[str]:
    return [row["Status"] for row in org.query("SELECT Status FROM Flow ORDER BY VersionNumber")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"rollbackOnError": False}, "rollbackOnError option must be true on a production org"),
        ({"testLevel": "NoTestRun"}, "testLevel of NoTestRun cannot be used in production organizations"),
    ],
)
def test_options_that_production_refuses(production, kit, options, problem) -> None:
    """The call is refused in production, although a sandbox accepts it."""
    with pytest.raises(kit.fault) as error:
        production.start(kit.zipped(kit.good()), **options)
    assert error.value.text == f"INVALID_OPERATION: {problem}"


def test_a_sandbox_accepts_these_options(org, kit) -> None:
    """A sandbox accepts partial success, and deploys without tests."""
    assert org.deploy(kit.good(), rollbackOnError=False, testLevel="NoTestRun").status == "Succeeded"


def test_an_active_flow_is_deployed_as_inactive(production, kit) -> None:
    """The flow is a draft, and deploying it again changes nothing."""
    assert production.deploy(kit.good()).status == "Succeeded"
    assert _statuses(production) == ["Draft"]
    second_result = production.deploy(kit.good())
    assert (second_result.of("To_Relay")["changed"], _statuses(production)) == ("false", ["Draft"])


def test_a_new_version_leaves_the_active_one_running(production, kit) -> None:
    """The active version runs until a user activates the new one."""
    production.deploy(kit.good())
    (row,) = production.query("SELECT DefinitionId FROM Flow")
    path = f"/services/data/v62.0/tooling/sobjects/FlowDefinition/{row['DefinitionId']}"
    assert production.rest("PATCH", path, {"Metadata": {"activeVersionNumber": 1}})[0] == 204
    changed = kit.good() | {"flows/To_Relay.flow": kit.flow(label="To relay, better")}
    assert production.deploy(changed).status == "Succeeded"
    assert _statuses(production) == ["Active", "Draft"]


def turn_setting_on(production, kit) -> None:
    """Deploy the setting FlowSettings.enableFlowDeployAsActiveEnabled."""
    settings = {
        "package.xml": kit.manifest({"Settings": ["Flow"]}),
        "settings/Flow.settings": kit.wrap("FlowSettings", SETTINGS),
    }
    assert production.deploy(settings).status == "Succeeded"


def class_that_tests(kit, source: str) -> dict[str, str]:
    return {
        "package.xml": kit.manifest({"ApexClass": ["Flow_Test"]}),
        "classes/Flow_Test.cls": f"@IsTest class Flow_Test {{ @IsTest static void works() {{ {source} }} }}",
        "classes/Flow_Test.cls-meta.xml": kit.wrap("ApexClass", "<apiVersion>63.0</apiVersion>"),
    }


def test_with_the_setting_flows_that_tests_cover_are_deployed_as_active(production, kit) -> None:
    """
    With too little coverage the deployment is rolled back, and only the test results contain the reason.

    https://help.salesforce.com/s/articleView?id=platform.flow_distribute_deploy_active.htm
    """
    turn_setting_on(production, kit)
    refused = production.deploy(kit.good())
    assert (refused.status, refused.failures, _statuses(production)) == ("Failed", [], [])
    path = f"/services/data/v62.0/metadata/deployRequest/{refused.id}?includeDetails=true"
    (warning,) = production.rest("GET", path)[1]["deployResult"]["details"]["runTestResult"]["flowCoverageWarnings"]
    assert warning["flowName"] == "To_Relay"
    assert warning["message"].endswith("is 0%, but at least 75% is required.")
    production.deploy(class_that_tests(kit, "insert new Contact(LastName = 'A');"))
    assert production.deploy(kit.good()).status == "Succeeded"
    assert _statuses(production) == ["Active"]


def test_a_draft_needs_no_coverage(production, kit) -> None:
    turn_setting_on(production, kit)
    draft = kit.good() | {"flows/To_Relay.flow": kit.flow().replace(">Active<", ">Draft<")}
    assert production.deploy(draft).status == "Succeeded"
    assert _statuses(production) == ["Draft"]


def test_a_package_with_apex_runs_the_orgs_tests(production, kit) -> None:
    """A package with Apex runs the org's tests even if none are requested; a package without Apex runs none."""
    source = "@IsTest class Orders_Test { @IsTest static void works() { } }"
    files = {
        "package.xml": kit.manifest({"ApexClass": ["Orders_Test"]}),
        "classes/Orders_Test.cls": source,
        "classes/Orders_Test.cls-meta.xml": kit.wrap("ApexClass", "<apiVersion>62.0</apiVersion>"),
    }
    assert production.deploy(files).report["numberTestsCompleted"] == "1"
    assert production.deploy(kit.good()).report["numberTestsCompleted"] == "0"
