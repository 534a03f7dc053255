"""Invisible characters are escaped in every output."""

from __future__ import annotations

import pytest

from sfcode.local import serve
from tests.e2e.org import deploy_field_label

OVERRIDE = "\u202e"


@pytest.mark.parametrize(
    "words",
    [
        ("validate",),
        ("validate", "--json"),
        ("lint", "--format", "text"),
        ("lint", "--format", "json"),
        ("lint", "--format", "markdown"),
        ("lint", "--format", "sarif"),
        ("lint", "--format", "github"),
    ],
    ids=" ".join,
)
def test_invisible_characters_in_a_file_name_are_escaped(journey, words):
    mappings = journey.folder / "config" / "mappings"
    (mappings / "lead.yaml").rename(mappings / f"le{OVERRIDE}ad.yaml")
    result = journey.run(*words, "--env", "local")
    assert OVERRIDE not in result.out + result.err
    assert "le\\u202ead.yaml" in result.out + result.err


@pytest.mark.parametrize("format_", ["text", "json", "markdown", "html"])
def test_invisible_characters_in_a_label_of_the_org_are_escaped(applied, tmp_path, format_):
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        deploy_field_label(org, "Contact.Appcues_NPS_Score__c", f"Sc{OVERRIDE}ore")
    result = applied.plan("--format", format_, "--out", str(tmp_path / "plan.json"))
    assert OVERRIDE not in result.out
    assert "Sc\\u202eore" in result.out
    saved = (tmp_path / "plan.json").read_text(encoding="utf-8")
    assert OVERRIDE not in saved
    second_result = applied.run("apply", str(tmp_path / "plan.json"))
    assert second_result.code == 0, second_result.err


def test_invisible_characters_in_a_workflow_summary_and_a_sarif_log_are_escaped(applied, tmp_path):
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        deploy_field_label(org, "Contact.Appcues_NPS_Score__c", f"Sc{OVERRIDE}ore")
    summary, sarif = tmp_path / "summary.md", tmp_path / "sarif.json"
    applied.environ = {**applied.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    applied.plan("--sarif", str(sarif))
    assert OVERRIDE not in summary.read_text(encoding="utf-8") + sarif.read_text(encoding="utf-8")
    assert "Sc\\u202eore" in summary.read_text(encoding="utf-8")
