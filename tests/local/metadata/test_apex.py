"""Apex tests are found and counted, and not run; requested tests must exist."""

from __future__ import annotations

import pytest
from lxml import etree

from sfcode.local.metadata.deploy.apex import find_test_methods

NS = "{http://soap.sforce.com/2006/04/metadata}"
META = "<apiVersion>62.0</apiVersion><status>Active</status>"
TESTS = """
@IsTest
private class Orders_Test {
    // @IsTest static void notThisOne() {}
    @TestSetup static void prepare() { insert new Account(Name = '@IsTest static void norThis() {}'); }
    @IsTest static void counts() { System.assertEquals(1, Orders.count()); }
    @isTest(SeeAllData=false)
    public static void isEmpty() { }
    static testMethod void oldStyle() { }
    static void helper() { }
}
"""


@pytest.mark.parametrize(
    ("source", "methods"),
    [
        (TESTS, ["counts", "isEmpty", "oldStyle"]),
        ("@IsTest public class Data { public static Account make() { return null; } }", []),
        ("public class Orders { public static Integer count() { return 1; } }", None),
        ("public class Orders { /* @IsTest static void a() {} */ }", None),
    ],
)
def test_methods_of_a_test_class(source: str, methods: list[str] | None) -> None:
    """Methods with @IsTest or `testMethod` are tests, unless they are in comments or strings; other classes have none."""
    assert find_test_methods(source) == methods


def _classes(kit) -> dict[str, str]:
    sources = {"Orders": "public class Orders { public static Integer count() { return 1; } }", "Orders_Test": TESTS}
    return {"package.xml": kit.manifest({"ApexClass": ["*"]})} | {
        f"classes/{name}{end}": text
        for name, source in sources.items()
        for end, text in ((".cls", source), (".cls-meta.xml", kit.wrap("ApexClass", META)))
    }


def _tests(org, deploy_id: str) -> list[str]:
    root = org.soap(
        f"<checkDeployStatus><asyncProcessId>{deploy_id}</asyncProcessId><includeDetails>true</includeDetails></checkDeployStatus>"
    )
    return [success.findtext(f"{NS}methodName") for success in root.iter(f"{NS}successes")]


def test_local_tests_are_those_of_the_org_and_the_package(org, kit) -> None:
    """All test methods are reported; deploys at other test levels report none."""
    result = org.deploy(_classes(kit), testLevel="RunLocalTests")
    assert (result.status, result.report["numberTestsCompleted"]) == ("Succeeded", "3")
    assert _tests(org, result.id) == ["counts", "isEmpty", "oldStyle"]
    assert org.deploy(kit.good()).report["numberTestsTotal"] == "0"


def test_specified_tests_run_alone(org, kit) -> None:
    """A whole class or one of its methods can be requested."""
    assert org.deploy(_classes(kit)).status == "Succeeded"
    result = org.deploy(kit.good(), testLevel="RunSpecifiedTests", runTests="orders_test.counts")
    assert _tests(org, result.id) == ["counts"]


@pytest.mark.parametrize("name", ["Nobody_Test", "Orders", "Orders_Test.helper"])
def test_a_missing_test_fails_the_deploy(org, kit, name: str) -> None:
    """No component of the package is deployed."""
    assert org.deploy(_classes(kit)).status == "Succeeded"
    before = org.snapshot()
    result = org.deploy(kit.good(), testLevel="RunSpecifiedTests", runTests=name)
    assert (result.status, result.report["errorStatusCode"]) == ("Failed", "INVALID_CROSS_REFERENCE_KEY")
    assert result.report["errorMessage"] == f"INVALID_CROSS_REFERENCE_KEY: no test class named {name} found"
    assert org.snapshot() == before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"testLevel": "RunLocalTests", "runTests": "A"}, "runTests can be used only with a testLevel of RunSpecifiedTests"),
        ({"testLevel": "RunSpecifiedTests"}, "a testLevel of RunSpecifiedTests needs at least one test in runTests"),
        ({"testLevel": "RunEverything"}, "'RunEverything' is not a valid value for the enum 'TestLevel'"),
    ],
)  # fmt: skip
def test_test_level_and_tests_must_match(shared, kit, options: dict[str, str], problem: str) -> None:
    """The call is refused before a deploy starts."""
    with pytest.raises(kit.fault) as error:
        shared.start(kit.zipped(kit.good()), **options)
    assert error.value.text == f"INVALID_OPERATION: {problem}"


def test_reports_with_tests_are_well_formed(org, kit) -> None:
    """A successful test is reported with its elements in the order of the WSDL."""
    result = org.deploy(_classes(kit), testLevel="RunAllTestsInOrg")
    root = org.soap(
        f"<checkDeployStatus><asyncProcessId>{result.id}</asyncProcessId><includeDetails>true</includeDetails></checkDeployStatus>"
    )
    success = next(root.iter(f"{NS}successes"))
    assert [etree.QName(child).localname for child in success] == ["id", "methodName", "name", "seeAllData", "time"]
