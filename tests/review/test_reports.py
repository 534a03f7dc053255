"""Reports in five formats have the same content, escape foreign text, and stay within their limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sfcode.checks.rules import LINT_RULES
from sfcode.checks.writers.github import format_annotations
from sfcode.checks.writers.sarif import format_sarif
from sfcode.config.models import Settings
from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.plan.change import Action
from sfcode.plan.reports.markdown_parts import inline
from sfcode.review.model import Group, ReviewReport, Revision, Risk, Statement
from sfcode.review.reports.document import to_document
from sfcode.review.reports.markdown import COMMENT_LIMIT, markdown
from sfcode.review.reports.text import text
from sfcode.review.statements import relay
from sfcode.review.statements.settings import SWITCHES, WORDS
from tests.review.projects import CONTACT, FILES, edited, load_snapshot, reviewed

NOTHING = ReviewReport(Revision("main"), Revision("the work tree"))


@pytest.fixture
def changed(tmp_path: Path) -> ReviewReport:
    """Return a review with every kind of content."""
    after = edited(
        FILES,
        ("contact", "    role: Title\n", "    mail: Email\n"),
        ("settings", "version: 1\n", "version: 1\nsalesforce: {api_version: '62.0'}\n"),
        ("settings", "admin@example.com\n", "admin@example.com\n  record_access: view_all\n"),
    )
    del after["config/mappings/lead.yaml"]
    return reviewed(tmp_path, FILES, after)


def sarif(review: ReviewReport) -> str:
    return format_sarif(review.diagnostics, folder=review.folder, older=review.older)


def github(review: ReviewReport) -> str:
    return format_annotations((*review.problems, *review.news), review.folder)


def older(*findings: Diagnostic) -> ReviewReport:
    return replace(NOTHING, findings=findings, older=frozenset(findings))


def finding(**more: Any) -> Diagnostic:
    values = {
        "rule": "SF203",
        "level": Level.WARNING,
        "position": Position("config/a.yaml", 3, 5),
        "path": "x",
        "message": "m",
    }
    return Diagnostic(**{**values, **more})


class TestText:
    def test_an_empty_review_has_an_empty_report(self) -> None:
        """Old findings do not make the report non-empty; errors and new findings are shown."""
        assert text(NOTHING) == "No changes"
        assert text(older(finding())) == "No changes"
        assert "SF209" in text(older(finding(rule="SF209", level=Level.ERROR)))

    def test_a_report_contains_statements_access_components_findings_and_a_verdict(self, changed: ReviewReport) -> None:
        lines = text(changed).splitlines()
        assert lines[0] == "Compares head with base."
        assert "  * Contact.Email will be sent to Appcues as `mail`.  [high: personal data leaves Salesforce]" in lines
        assert (
            "  Contact                    Read, Edit -> Read, Edit, View All  integration_user.record_access" in lines
        )
        assert "  - Flow:Appcues_lead" in lines
        assert any(line.startswith("  warning SF203 config/mappings/contact.yaml:5:5: ") for line in lines)
        assert lines[-1] == "High risk: 0 to add, 4 to change, 4 to destroy."

    def test_problems_of_an_invalid_config_are_listed(self) -> None:
        problem = Diagnostic.error(Position("config/sfcode.yaml", 1, 2), "name", "is wrong", "change it")
        report = text(replace(NOTHING, problems=(problem,)))
        assert "  config/sfcode.yaml:1:2: name: is wrong; change it" in report.splitlines()
        assert report.endswith("The config does not load.")


class TestMarkdown:
    def test_statements_are_sorted_by_risk(self, changed: ReviewReport) -> None:
        lines = [line for line in markdown(changed).splitlines() if line]
        assert lines[0] == "### High risk: 0 to add, 4 to change, 4 to destroy"
        assert lines[2:4] == ["| risk | topic | what changes | where |", "| --- | --- | --- | --- |"]
        assert lines[4].startswith(
            "| **high** | Data leaving Salesforce | Leads will no longer be synced: 4 components will be deleted"
        )
        table = [line for line in lines[4:] if re.match(r"\| (\*\*high\*\*|medium|low) \|", line)]
        risks = [line.split(" | ")[0].strip("|* ") for line in table]
        assert len(table) == len(changed.statements)
        assert risks == sorted(risks, key=("high", "medium", "low").index)
        assert (
            "| `Contact` | Read, Edit | **Read, Edit, View All** | `integration_user.record_access` `config/sfcode.yaml:7` |"
            in lines
        )

    def test_the_access_table_counts_a_profile_that_grants_something(self, tmp_path: Path) -> None:
        edited_files = edited(FILES, ("settings", "  email:", "  profile: System Administrator\n  email:"))
        row = (
            "| `Profile System Administrator` | nothing | **View All Data, Modify All Data, Customize Application** | "
            "`integration_user.profile` `config/sfcode.yaml:5` |"
        )
        assert row in markdown(reviewed(tmp_path, FILES, edited_files)).splitlines()
        assert "Profile System Administrator" not in markdown(reviewed(tmp_path, edited_files, edited_files))

    def test_details_are_folded_and_end_where_they_begin(self, changed: ReviewReport) -> None:
        page = markdown(changed)
        assert page.count("<details>") == page.count("</details>")
        fold = page[page.rindex("<details>") :]
        assert fold.startswith("<details><summary>8 components and records that change</summary>")
        assert fold.count("```diff") == page.count("```diff") == 4, (
            "all changed ones, in one fold; deleted ones are named"
        )
        assert page.count("```") % 2 == 0

    @pytest.mark.parametrize("limit", [COMMENT_LIMIT, 6000, 3000, 1500, 700, 300])
    def test_a_limited_report_keeps_the_most_important_parts(self, changed: ReviewReport, limit: int) -> None:
        page = markdown(changed, limit)
        assert len(page) <= limit
        assert page.startswith("### High risk")
        assert page.count("<details>") == page.count("</details>")
        if limit < len(markdown(changed)):
            assert "_Truncated: " in page
        if limit > 1000:
            assert all(
                statement.text[:30].strip("`") in page
                for statement in changed.statements
                if statement.risk is Risk.HIGH
            )

    def test_thousands_of_statements_lose_the_least_important(self) -> None:
        statements = tuple(
            Statement(Group.LEAVING, f"Field{n} is sent", Risk(n % 3), "why" * (n % 3)) for n in range(6000)
        )
        page = markdown(replace(NOTHING, statements=statements))
        assert len(page) <= COMMENT_LIMIT
        high = sum(f"Field{n} is sent" in page for n in range(2, 6000, 3))
        low = sum(f"| low | Data leaving Salesforce | Field{n} is sent." in page for n in range(0, 6000, 3))
        assert high > 500
        assert low == 0

    def test_a_heading_without_content_is_omitted(self, changed: ReviewReport) -> None:
        for limit in range(300, 6000, 97):
            lines = [line for line in markdown(changed, limit).splitlines() if line]
            for line, following in zip(lines, [*lines[1:], "#### end"], strict=True):
                assert not (line.startswith("####") and following.startswith("####")), limit
                assert not (line.startswith("####") and following.startswith("_Something")), limit

    @pytest.mark.parametrize(
        ("foreign", "escaped"),
        [
            ("`<img src=x>`", "`<img src=x>`"),
            ("<b>bold</b>", r"\<b\>bold\</b\>"),
            ("[link](x) ![image](y)", r"\[link\](x) \!\[image\](y)"),
            ("@team and Contact.Plan__c", "@\u200bteam and Contact.Plan__c"),
            ("_x_ *y* ~z~ #1", r"\_x\_ \*y\* \~z\~ \#1"),
            ("https://example.com", "https\u200b://example.com"),
        ],
    )
    def test_foreign_text_is_only_text(self, foreign: str, escaped: str) -> None:
        """YAML of a fork must not mention people or load pictures in a comment."""
        assert inline(foreign) == escaped

    def test_an_events_name_cannot_leave_its_quotes(self, tmp_path: Path) -> None:
        name = "a` <img src=x> @team | ``` b"
        after = edited(FILES, ("contact", "[Clicked Upgrade]", f"[Clicked Upgrade, '{name}']"))
        line = next(line for line in markdown(reviewed(tmp_path, FILES, after)).splitlines() if "<img" in line)
        assert "| The click-to-track event `a' <img src=x> @team \\| ''' b` will be written to Contacts" in line

    def test_a_text_of_backticks_does_not_end_its_block(self, tmp_path: Path) -> None:
        after = {**FILES, "config/mappings/contact.yaml": CONTACT.replace("Clicked Upgrade", "x")}
        template = (Path(__file__).parents[2] / "templates/metadata/Flow.xml.j2").read_text(encoding="utf-8")
        after["templates/metadata/Flow.xml.j2"] = template.replace("{{ flow.description }}", "```` &lt;/details&gt;")
        page = markdown(reviewed(tmp_path, FILES, after))
        assert re.search(r"^`````diff$", page, re.MULTILINE)
        assert page.count("`````") == 4


class TestDocument:
    def test_the_json_contains_everything(self, changed: ReviewReport) -> None:
        document = json.loads(json.dumps(to_document(changed)))
        assert document["changes"] is True
        assert document["risk"] == "high"
        assert document["summary"] == {"create": 0, "update": 4, "delete": 4}
        assert next(entry["text"] for entry in document["statements"]).startswith("Leads will no longer be synced")
        [effect] = document["effects"]
        assert {entry["address"]: entry["change"]["actions"] for entry in effect["resource_changes"]}[
            "Flow:Appcues_lead"
        ] == ["delete"]
        assert {entry["name"] for entry in effect["access"] if not entry["changed"]} >= {"Event.WhoId", "ApiEnabled"}
        [first] = [entry for entry in document["findings"] if entry["rule"] == "SF201"]
        assert first == {
            "rule": "SF201",
            "name": "all-records",
            "level": "warning",
            "message": "the integration user has View All on Contact: it can access every record, regardless of the owner",
            "hint": "set record_access: sharing and share the records that it needs, if that is feasible",
            "path": "integration_user.record_access",
            "position": {"file": "config/sfcode.yaml", "line": 7, "column": 3},
            "related": None,
            "new": True,
        }

    def test_secrets_are_masked_in_every_form(self, tmp_path: Path) -> None:
        """A value that looks like a secret is masked in statements, diffs and findings."""
        secret = "ghp_" + "a1B2" * 9
        after = edited(FILES, ("contact", "[Clicked Upgrade]", f"[{secret}]"))
        report = reviewed(tmp_path, FILES, after)
        forms = [text(report), markdown(report), json.dumps(to_document(report)), sarif(report), github(report)]
        assert not any(secret in form for form in forms)
        assert "********" in forms[0]


class TestSarif:
    def test_the_sarif_log_fits_its_schema(self, changed: ReviewReport) -> None:
        log = json.loads(sarif(changed))
        assert log["version"] == "2.1.0"
        [run] = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == list(LINT_RULES)
        assert run["results"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert result["baselineState"] in ("new", "unchanged", "updated", "absent")
            [location] = result["locations"]
            place = location["physicalLocation"]
            assert set(place["artifactLocation"]) == {"uri", "uriBaseId"}
            assert place["region"]["startLine"] >= 1 <= place["region"]["startColumn"]
            assert re.fullmatch(r"[0-9a-f]{64}", result["partialFingerprints"]["sfcode/v1"])

    def test_a_finding_keeps_its_fingerprint_when_it_moves(self) -> None:
        logs = [
            json.loads(sarif(replace(NOTHING, findings=(finding(position=Position("config/a.yaml", line, 5)),))))
            for line in (3, 9)
        ]
        prints = [log["runs"][0]["results"][0]["partialFingerprints"] for log in logs]
        assert prints[0] == prints[1]

    def test_places_are_seen_from_the_top_of_the_repository(self) -> None:
        odd = finding(
            position=Position("config/ä b.yaml", 1, 1), related=Position("templates/metadata/Flow.xml.j2", 2, 1)
        )
        [result] = json.loads(sarif(replace(NOTHING, folder="services/crm", findings=(odd,))))["runs"][0]["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {
            "uri": "services/crm/config/%C3%A4%20b.yaml",
            "uriBaseId": "%SRCROOT%",
        }
        [related] = result["relatedLocations"]
        assert related["physicalLocation"]["artifactLocation"]["uri"] == "services/crm/templates/metadata/Flow.xml.j2"

    def test_a_config_that_does_not_load_is_a_result_at_its_line(self) -> None:
        problems = (
            Diagnostic.error(Position("config/sfcode.yaml", 4, 2), "name", "is wrong", "change it"),
            Diagnostic.error(None, "config/mappings", "the project has no mapping"),
        )
        results = json.loads(sarif(replace(NOTHING, problems=problems)))["runs"][0]["results"]
        assert [(result["ruleId"], result["message"]["text"]) for result in results] == [
            ("SF001", "Is wrong; change it."),
            ("SF001", "The project has no mapping."),
        ]
        places = [result["locations"][0]["physicalLocation"] for result in results]
        assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
            ("config/sfcode.yaml", 4),
            ("config/mappings", 1),
        ]


class TestGitHub:
    def test_a_finding_is_a_remark_at_its_line(self) -> None:
        assert github(replace(NOTHING, findings=(finding(hint="c"),))) == (
            "::warning file=config/a.yaml,line=3,col=5,title=SF203 personal-data::m; c"
        )

    def test_levels_are_those_of_github(self) -> None:
        findings = tuple(finding(level=level, message=level.word) for level in (Level.NOTE, Level.WARNING, Level.ERROR))
        assert [line.split(" ")[0] for line in github(replace(NOTHING, findings=findings)).splitlines()] == [
            "::notice",
            "::warning",
            "::error",
        ]

    def test_messages_are_escaped_for_workflow_commands(self) -> None:
        """Percent signs, line ends, colons and commas are escaped as the runner requires."""
        sly = finding(position=Position("a,b:c%.yaml", 1, 1), message="100%\r\n::error::gotcha")
        assert github(replace(NOTHING, findings=(sly,))) == (
            "::warning file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=SF203 personal-data::100%25%0D%0A::error::gotcha"
        )

    def test_old_warnings_are_not_repeated_on_every_pull_request(self) -> None:
        report = older(finding(), finding(level=Level.ERROR, message="bad"))
        assert [line[:7] for line in github(report).splitlines()] == ["::error"]


LEFT_OUT = {"version", "environments", "as_is", "review", "safety", "viewers"}
"""Sections that other statements describe."""


def test_every_setting_has_a_statement(tmp_path: Path) -> None:
    """A new setting of the language without a sentence makes this test fail."""
    dumped = load_snapshot(tmp_path, FILES).project.settings.model_dump(mode="json", by_alias=True)
    leaves = set()

    def walk(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{path}.{key}" if path else key, inner)
        else:
            leaves.add(path)

    walk("", {key: value for key, value in dumped.items() if key not in LEFT_OUT})
    special = {
        "integration_user.access",
        "integration_user.accepted_rights",
        "integration_user.record_access",
        "moved.name",
        "moved.user",
        "relay.activities_as",
    }
    together = {path for path in leaves if path.startswith(relay.PREFIXES)}
    switches = {path for path, _ in SWITCHES}
    assert {(path, on) for path in switches for on in (True, False)} == set(SWITCHES)
    assert leaves - special - together == set(WORDS) | switches
    assert {key.split(".")[0] for key in leaves} | LEFT_OUT == set(Settings.model_fields)


def test_actions_are_counted_in_the_environment_with_the_most_changes(changed: ReviewReport) -> None:
    assert changed.count(Action.DELETE) == 4
