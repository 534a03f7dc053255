"""The complete text of a JUnit file as CI reads it, with every kind of test case in every suite."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from sfcode.apply.junit import junit
from sfcode.diagnostics import Position
from sfcode.mapping.desired import Origin
from sfcode.metadata.component import Address
from sfcode.org.results import DeployMessage, DeployResult, TestFailure, TestRun, TestSuccess

FIELD = DeployMessage("CustomField", "Contact.A__c", "objects/Contact.object")
FAILED = DeployResult(
    "0Af1",
    "Failed",
    done=True,
    success=False,
    created_date="2026-03-18T11:00:00.000Z",
    failures=(
        DeployMessage("CustomField", "Contact.B__c", "objects/Contact.object", 3, 7, "bad", "Error", success=False),
        DeployMessage("CustomField", "Contact.B__c", "objects/Contact.object", 4, 1, "worse", "Warning", success=False),
        DeployMessage("", "package.xml", problem="unknown", success=False),
    ),
    successes=(FIELD, DeployMessage("", "package.xml"), DeployMessage("Layout", "Contact.B__c")),
    tests=TestRun(
        2,
        1,
        failures=(TestFailure("ContactTest", "saves", "Assertion Failed", "line 3", time_ms=250),),
        successes=(TestSuccess("ContactTest", "reads", time_ms=1000),),
        coverage_warnings=("Average coverage is 60%",),
    ),
)


def test_a_failed_deployment() -> None:
    assert junit([FAILED], []) == (
        """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sfcode" tests="7" failures="4" errors="0">
  <testsuite name="deployment 0Af1" failures="2" errors="0" tests="4" skipped="0" time="0.000" timestamp="2026-03-18T11:00:00">
    <testcase classname="CustomField" name="Contact.B__c" time="0.000">
      <failure type="Error" message="bad">CustomField:Contact.B__c: bad (objects/Contact.object:3:7)
CustomField:Contact.B__c: worse (objects/Contact.object:4:1)</failure>
    </testcase>
    <testcase classname="package" name="package.xml" time="0.000">
      <failure type="Error" message="unknown">package.xml: unknown</failure>
    </testcase>
    <testcase classname="CustomField" name="Contact.A__c" time="0.000" />
    <testcase classname="Layout" name="Contact.B__c" time="0.000" />
  </testsuite>
  <testsuite name="Apex tests of 0Af1" failures="2" errors="0" tests="3" skipped="0" time="1.250" timestamp="2026-03-18T11:00:00">
    <testcase classname="ContactTest" name="saves" time="0.250">
      <failure type="Apex" message="Assertion Failed">Assertion Failed
line 3</failure>
    </testcase>
    <testcase classname="ContactTest" name="reads" time="1.000" />
    <testcase classname="coverage" name="warning 1" time="0.000">
      <failure>Average coverage is 60%</failure>
    </testcase>
  </testsuite>
</testsuites>
"""
    )


def test_a_component_without_a_type_belongs_to_the_package_and_a_failure_without_a_kind_is_an_error() -> None:
    unnamed = DeployMessage("", "package.xml")
    succeeded = ElementTree.fromstring(junit([DeployResult("0Af1", "Succeeded", True, True, successes=(unnamed,))], []))
    assert succeeded[0][0].get("classname") == "package"
    for kind, expected in (("", "Error"), ("Warning", "Warning")):
        failure = DeployMessage("Layout", "Contact.B__c", problem="bad", problem_type=kind, success=False)
        root = ElementTree.fromstring(junit([DeployResult("0Af1", "Failed", True, False, failures=(failure,))], []))
        assert root[0][0][0].get("type") == expected


def test_the_line_of_a_failed_component_is_that_of_its_first_problem_with_a_line() -> None:
    address = Address("CustomField", "Contact.B__c")
    lines = [
        Origin(address, token, Position("contact.yaml", line, 1), "user_id")
        for token, line in (("A__c", 7), ("B__c", 9))
    ]
    problems = ("unknown", "B__c is wrong", "A__c is wrong")
    failures = tuple(
        DeployMessage("CustomField", "Contact.B__c", problem=problem, success=False) for problem in problems
    )
    root = ElementTree.fromstring(junit([DeployResult("0Af1", "Failed", True, False, failures=failures)], lines))
    assert (root[0][0].get("file"), root[0][0].get("line")) == ("contact.yaml", "9")


def test_no_suite_is_reported_as_no_test() -> None:
    assert ElementTree.fromstring(junit([], [])).attrib == {
        "name": "sfcode", "tests": "0", "failures": "0", "errors": "0"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (DeployResult("0Af1", "Failed", True, False, error_message="sorry", error_status_code="X"), ("X", "sorry")),
        (DeployResult("0Af1", "Failed", True, False, error_message="sorry"), ("Failed", "sorry")),
        (DeployResult("0Af1", "Canceled", True, False), ("Canceled", "the deployment ended as Canceled")),
        (
            DeployResult("0Af1", "Canceled", True, False, tests=TestRun(0, 0)),
            ("Canceled", "the deployment ended as Canceled"),
        ),
    ],
)
def test_a_deployment_without_a_failed_component_is_an_error_itself(
    result: DeployResult, error: tuple[str, str]
) -> None:
    root = ElementTree.fromstring(junit([result], []))
    (case,) = root[0]
    assert (case.get("classname"), case.get("name")) == ("deployment", "0Af1")
    assert (case[0].tag, case[0].get("type"), case[0].get("message")) == ("error", *error)
    assert (root.get("errors"), root.get("failures")) == ("1", "0")
    assert root[0].get("timestamp") is None


def test_a_component_that_succeeded_with_a_message_is_not_an_error() -> None:
    result = DeployResult(
        "0Af1", "Succeeded", True, True, check_only=True, error_message="sorry", start_date="2026-03-18T12:00:00Z"
    )
    root = ElementTree.fromstring(junit([result, replace(result, created_date="2026-03-18T11:00:00Z")], []))
    assert [suite.get("name") for suite in root] == ["check 0Af1", "check 0Af1"]
    assert [suite.get("timestamp") for suite in root] == ["2026-03-18T12:00:00"] * 2
    assert root.get("tests") == "0"
