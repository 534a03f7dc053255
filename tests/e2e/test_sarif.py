"""SARIF logs of a config, and of a plan."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import serve
from sfcode.metadata.component import Component
from tests.e2e.journey import Journey
from tests.e2e.org import deploy

CONTACT = "config/mappings/contact.yaml"
THEIRS = Component("CustomField", "Contact.Appcues_User_Id__c", {"label": "Id", "type": "Text", "length": 18})


def results(journey: Journey, name: str = "found.sarif") -> list[tuple[str, str, str, int]]:
    """List rule, level, file and line of each result, and check that every used rule is described."""
    (run,) = json.loads((journey.folder / name).read_text())["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    return [(result["ruleId"], result["level"], *place(result)) for result in run["results"]]


def place(result: dict[str, Any]) -> tuple[str, int]:
    physical_location = result["locations"][0]["physicalLocation"]
    return physical_location["artifactLocation"]["uri"], physical_location["region"]["startLine"]


def line(journey: Journey, piece: str, file: str = CONTACT) -> int:
    lines = (journey.folder / file).read_text().splitlines()
    return next(number for number, text in enumerate(lines, 1) if piece in text)


def test_lint_findings_of_a_valid_config_are_in_the_sarif_log(journey: Journey) -> None:
    """The rules are those of a review, applied to one state instead of a change."""
    assert journey.run("validate", "--sarif", "found.sarif").code == 0
    assert ("SF203", "warning", CONTACT, line(journey, "email: Email")) in results(journey)
    accepted = "review:\n  personal_data:\n    accepted: [Email, FirstName, LastName]\n"
    with (journey.folder / "config/sfcode.yaml").open("a", encoding="utf-8") as file:
        file.write(accepted)
    assert journey.run("validate", "--sarif", "found.sarif").code == 0
    assert results(journey) == []


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_problems_of_an_invalid_config_are_in_the_sarif_log(journey: Journey, command: str) -> None:
    """The log has each problem at its line, and the command still fails."""
    journey.edit("mappings/contact.yaml", "direction: both", "direction: sideways")
    refused = journey.run(command, "--sarif", "found.sarif")
    assert refused.code == 1
    assert results(journey) == [("SF001", "error", CONTACT, line(journey, "sideways"))]


def test_refusals_of_a_plan_are_at_the_yaml_line_of_the_component(journey: Journey) -> None:
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        deploy(org, THEIRS)
    assert journey.plan("--sarif", "found.sarif").code == 1
    refused = [result for result in results(journey) if result[0] == "SF301"]
    assert refused == [("SF301", "error", CONTACT, line(journey, "field: Appcues_User_Id__c"))]


def test_problems_of_a_checked_package_are_at_their_yaml_lines(journey: Journey) -> None:
    template = journey.folder / "templates" / "metadata" / "WorkflowOutboundMessage.xml.j2"
    template.parent.mkdir(parents=True)
    from sfcode.config.files import shipped_templates

    text = (shipped_templates() / template.name).read_text()
    template.write_text(text.replace("<fields>{{ name }}</fields>", "<fields>{{ name }}x</fields>"))
    assert journey.plan("--check", "--sarif", "found.sarif").code == 1
    refusals = [result for result in results(journey) if result[0] == "SF303"]
    assert refusals
    assert {(level, file) for _, level, file, _ in refusals} <= {
        ("error", CONTACT),
        ("error", "config/mappings/lead.yaml"),
        ("error", "config/sfcode.yaml"),
    }
    assert "s3cr3t" not in (journey.folder / "found.sarif").read_text()


def test_the_sarif_log_of_a_plan_contains_lint_findings(journey: Journey) -> None:
    (journey.folder / "found.sarif").write_text("of an earlier run")
    assert journey.plan("--sarif", "found.sarif").code == 0
    assert {rule for rule, *_ in results(journey)} == {"SF203"}
    time.sleep(1)  # so that no record is from the same second as the field, which could then have values
    assert journey.apply().code == 0
    assert journey.plan("--destroy", "--sarif", "found.sarif").code == 0
    assert results(journey) == [], "the linter is about a config that is to be applied"


def test_a_log_that_cannot_be_written_stops_before_the_first_request(journey: Journey) -> None:
    refused = journey.plan("--sarif", "there/is/none.sarif")
    assert refused.code == 1
    assert "the SARIF log" in refused.err
    assert not (journey.folder / ".sfcode").exists()
    assert not Path(journey.folder / "there").exists()
