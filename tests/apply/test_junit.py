"""Deployments as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from sfcode.apply.junit import junit
from sfcode.org.results import DeployMessage, DeployResult, TestFailure, TestRun, TestSuccess
from tests.apply.test_failures import FILE, MESSAGE, ORIGINS, deploy_message

FIELD = DeployMessage("CustomField", "Contact.X__c", "objects/Contact.object", changed=True)


def read(*results):
    return ElementTree.fromstring(junit(results, ORIGINS))


def deployed(status="Succeeded", **more):
    return DeployResult("0Af1", status, done=True, success=status == "Succeeded", **more)


def test_components_and_tests_are_cases_of_two_suites_with_their_numbers():
    tests = TestRun(2, 0, successes=(TestSuccess("Orders", "counts", time_ms=1500), TestSuccess("Orders", "empty")))
    root = read(deployed(successes=(FIELD,), tests=tests, start_date="2026-03-18T12:00:00.000Z"))
    assert root.attrib == {"name": "sfcode", "tests": "3", "failures": "0", "errors": "0"}
    components, apex = root
    assert (components.get("name"), components.get("tests")) == ("deployment 0Af1", "1")
    assert components.get("timestamp") == "2026-03-18T12:00:00"
    assert [case.attrib for case in components] == [
        {"classname": "CustomField", "name": "Contact.X__c", "time": "0.000"}
    ]
    assert (apex.get("name"), apex.get("tests"), apex.get("time")) == ("Apex tests of 0Af1", "2", "1.500")


def test_a_refused_component_is_a_failure_at_its_yaml_line_once_whatever_the_number_of_problems():
    root = read(
        deployed(
            "Failed", failures=(deploy_message("Invalid field Plan__c"), deploy_message("And more")), successes=(FIELD,)
        )
    )
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    case = root[0][0]
    assert (case.get("classname"), case.get("name")) == (MESSAGE.type, MESSAGE.full_name)
    assert (case.get("file"), case.get("line")) == (FILE, "12")
    (failure,) = case
    assert failure.get("message") == "Invalid field Plan__c"
    assert failure.text.splitlines() == [
        f"{FILE}:12:11: to_appcues.attributes.plan: {MESSAGE}: Invalid field Plan__c",
        f"{FILE}:1:1: {MESSAGE}: And more",
    ]


def test_a_failed_test_has_its_message_and_trace():
    failure = TestFailure("Orders", "counts", "expected 1", "Class.Orders.counts: line 3", time_ms=20)
    root = read(deployed("Failed", tests=TestRun(1, 1, failures=(failure,))))
    (case,) = root[1]
    assert case[0].text == "expected 1\nClass.Orders.counts: line 3"
    assert (root.get("failures"), root.get("errors")) == ("1", "0")


@pytest.mark.parametrize(("status", "kind"), [("Succeeded", "system-out"), ("Failed", "failure")])
def test_low_coverage_adds_no_failed_test_case(status, kind):
    root = read(deployed(status, tests=TestRun(0, 0, coverage_warnings=("average is 10%",))))
    assert [case[0].tag for case in root[1]] == [kind]


def test_a_deployment_that_ends_without_a_component_at_fault_is_an_error():
    root = read(deployed("Failed", error_status_code="ALREADY_IN_PROCESS", error_message="locked"))
    assert (root.get("errors"), root[0][0][0].get("type"), root[0][0][0].get("message")) == (
        "1",
        "ALREADY_IN_PROCESS",
        "locked",
    )
    assert read(deployed("Canceled"))[0][0][0].get("message") == "the deployment ended as Canceled"


def test_characters_that_xml_does_not_allow_are_replaced():
    assert read(deployed("Failed", failures=(deploy_message("a\x00b<&>"),)))[0][0][0].get("message") == "a�b<&>"


def test_without_a_deployment_there_is_no_test_case():
    assert read().attrib == {"name": "sfcode", "tests": "0", "failures": "0", "errors": "0"}
