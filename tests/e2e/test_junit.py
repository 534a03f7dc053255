"""The JUnit file of real runs."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.e2e.test_refused import invalid

__all__ = ["invalid"]


def read(journey):
    return ElementTree.parse(journey.folder / "junit.xml").getroot()


def test_a_check_and_an_apply_report_each_component(journey):
    assert journey.plan("--check", "--junit", "junit.xml").code == 0
    assert read(journey)[0].get("name").startswith("check 0Af")
    assert journey.apply("--junit", "junit.xml").code == 0
    root = read(journey)
    assert root[0].get("name").startswith("deployment 0Af")
    cases = {f"{case.get('classname')}:{case.get('name')}" for case in root[0]}
    assert {"Flow:Appcues_contact", "StaticResource:Appcues_sfcode_state"} <= cases
    assert (root.get("failures"), root.get("tests")) == ("0", str(len(cases)))


def test_a_refused_apply_reports_its_failures_at_the_yaml_lines(invalid):
    assert invalid.apply("--junit", "junit.xml").code == 1
    failed = [case for case in read(invalid).iter("testcase") if case.find("failure") is not None]
    assert any(case.get("file") == "config/mappings/contact.yaml" for case in failed)


def test_an_apply_of_nothing_replaces_the_report_of_an_earlier_run(applied):
    (applied.folder / "junit.xml").write_text("old")
    assert applied.apply("--junit", "junit.xml").code == 0
    assert read(applied).get("tests") == "0"


def test_a_report_that_cannot_be_written_stops_before_anything_is_done(journey):
    refused = journey.apply("--junit", "no/junit.xml")
    assert refused.code == 1
    assert "no/junit.xml: the JUnit report cannot be saved" in refused.err
    assert set(journey.actions().values()) == {"create"}
    assert (
        "--junit reports Apex tests, which a plan without --check does not run."
        in journey.plan("--junit", "junit.xml").err
    )
