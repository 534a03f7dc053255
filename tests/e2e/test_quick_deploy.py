"""A checked package is deployed by a quick deployment, or again with a reason."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sfcode.local import serve
from sfcode.metadata.package import zip_files
from sfcode.org.results import DeployOptions
from sfcode.plan.document import load, save
from tests.e2e.org import deploy_field_label, opened

CLASS = {
    "package.xml": """<Package xmlns="http://soap.sforce.com/2006/04/metadata">
        <types><members>Tests</members><name>ApexClass</name></types><version>63.0</version></Package>""",
    "classes/Tests.cls": "@IsTest private class Tests { @IsTest static void works() { System.assert(true); } }",
    "classes/Tests.cls-meta.xml": """<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">
        <apiVersion>63.0</apiVersion><status>Active</status></ApexClass>""",
}
QUICK = "Deploying the checked package without running its tests again (0Af"
ANEW = "The validated package cannot be used ("


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


@contextmanager
def client(journey):
    with local_org(journey) as org, opened(org) as client:
        yield client


@pytest.fixture
def checked(applied):
    """Return a project whose next plan is saved and checked with tests."""
    with client(applied) as org:
        package = zip_files({name: text.encode() for name, text in CLASS.items()})
        assert org.metadata.follow(org.metadata.deploy(package, DeployOptions())).success
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    result = applied.plan("--check", "--test-level", "RunLocalTests", "--out", "plan.json")
    assert result.code == 0, result.err
    assert "1/1 tests" in result.err
    assert "runs no tests again" in result.out
    return applied


def test_a_quick_deployment_of_a_check_can_be_rolled_back(checked):
    result = checked.run("apply", "plan.json")
    assert result.code == 0, result.err
    assert QUICK in result.out
    assert "1/1 tests" not in result.out
    assert checked.actions() == {}
    (apply_id, *_) = checked.run("rollback", "--list").out.split()
    assert f"rollback {apply_id}" in result.out
    assert checked.run("rollback", "--auto-approve", apply_id).code == 0
    assert "PermissionSet:Appcues_Integration" in checked.actions()


def test_after_another_deployment_the_package_is_deployed_again_with_the_same_tests(checked):
    with local_org(checked) as org:
        deploy_field_label(org, "Contact.Plan__c", "Somebody else's")
    result = checked.run("apply", "plan.json")
    assert result.code == 0, result.err
    assert f"{ANEW}INVALID_ID_FIELD: " in result.out
    assert "something was deployed since" in result.out
    assert "1/1 tests" in result.out
    assert checked.actions() == {}


def test_requested_tests_that_differ_from_the_check_are_run(checked):
    result = checked.run("apply", "plan.json", "--test-level", "NoTestRun")
    assert result.code == 0, result.err
    assert f"{ANEW}the requested tests differ from those that the check ran)" in result.out
    assert "tests" not in result.out.partition("Succeeded")[2].partition("\n")[0]


def test_a_package_that_differs_from_the_checked_one_is_deployed_again(checked):
    path = checked.folder / "plan.json"
    plan = load(path)
    assert plan.validation
    save(replace(plan, validation=replace(plan.validation, package="0" * 64)), path)
    result = checked.run("apply", "plan.json")
    assert result.code == 0, result.err
    assert f"{ANEW}the package differs from the one that the org checked)" in result.out


def test_a_check_without_tests_is_not_used_for_a_quick_deployment(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    result = applied.plan("--check", "--test-level", "RunLocalTests", "--out", "plan.json")
    assert "no Apex test ran, so that no quick deployment is possible" in result.out
    assert json.loads((applied.folder / "plan.json").read_text())["validation"] is None
    second_result = applied.run("apply", "plan.json")
    assert (second_result.code, QUICK in second_result.out, ANEW in second_result.out) == (0, False, False)


def test_a_plan_file_of_the_previous_format_is_read(applied):
    assert applied.plan("--out", "plan.json").code == 0
    path = applied.folder / "plan.json"
    document = json.loads(path.read_text())
    for name in ("validation", "preserved", "parts", "digest"):
        del document[name]
    document["format_version"] = "1.0"
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path.write_text(json.dumps(document | {"digest": hashlib.sha256(text.encode()).hexdigest()}))
    assert applied.run("show", "plan.json").code == 0
