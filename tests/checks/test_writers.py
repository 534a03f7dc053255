"""The same diagnostics in every format of `lint` and `doctor`, as complete outputs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sfcode.checks.rules import DOCTOR_RULES, LINT_RULES
from sfcode.checks.writers.sarif import format_sarif
from sfcode.checks.writers.text import format_line, format_message
from sfcode.cli.diagnostics_output import show_diagnostics
from sfcode.cli.invocation import Invocation
from sfcode.diagnostics import Diagnostic, Level, Position

CONTACT = "config/mappings/contact.yaml"
TEMPLATE = Position("templates/metadata/Flow.xml.j2", 2, 1)
ERROR = Diagnostic("SF209", Level.ERROR, Position(CONTACT, 3, 5), "object", "is wrong", "Correct “it”.", TEMPLATE)
WARNING = Diagnostic("SF203", Level.WARNING, Position(CONTACT, 5, 5), "to_appcues", "is 50% personal", "remove it")
OTHER_WARNING = Diagnostic("SF203", Level.WARNING, None, "config/x.yaml", "is personal too")
NOTE = Diagnostic("SF212", Level.NOTE, None, "", "is a note")
LINTED = (ERROR, WARNING, OTHER_WARNING, NOTE)
DOCTORED = (
    Diagnostic("D101", Level.WARNING, Position("config/sfcode.yaml", 2, 3), "salesforce.api_version", "is old"),
    Diagnostic("D504", Level.NOTE, None, "Northwind", "several", "Merge them.", None, ("003a", "003b")),
    Diagnostic("D102", Level.OK, None, "Northwind", "is fine"),
)


def render(
    capsys: pytest.CaptureFixture[str], diagnostics: tuple[Diagnostic, ...], format_: str = "text", **options: Any
) -> tuple[int, str]:
    doctor = diagnostics is DOCTORED
    code = show_diagnostics(Invocation(**options), diagnostics, format_, doctor=doctor)
    output = capsys.readouterr()
    assert output.err == ""
    return int(code), output.out


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    warnings = f"""\
Errors
  SF209  {CONTACT}:3:5: object: is wrong. Correct “it”. (see templates/metadata/Flow.xml.j2:2:1)

Warnings
  SF203  {CONTACT}:5:5: to_appcues: is 50% personal; remove it
  SF203  config/x.yaml: is personal too

"""
    assert render(capsys, LINTED) == (1, f"{warnings}Notes\n  SF212  is a note\n\n1 error, 2 warnings.\n")
    assert render(capsys, LINTED, quiet=True) == (1, f"{warnings}1 error, 2 warnings.\n")
    assert render(capsys, ()) == (0, "0 errors, 0 warnings.\n")
    assert render(capsys, DOCTORED) == (
        0,
        """\
Warnings
  D101  config/sfcode.yaml:2:3: salesforce.api_version: is old

Notes
  D504  Northwind: several (such as 003a, 003b). Merge them.

Good
  D102  Northwind: is fine

0 errors, 1 warning.
""",
    )


def test_lines_of_other_reports() -> None:
    def mark(text: str, sign: str) -> str:
        return f"<{sign}|{text}>"

    assert [format_line(diagnostic, mark) for diagnostic in LINTED] == [
        f"<!|error SF209> {CONTACT}:3:5: object: is wrong. Correct “it”. (see templates/metadata/Flow.xml.j2:2:1)",
        f"<~|warning SF203> {CONTACT}:5:5: to_appcues: is 50% personal; remove it",
        "<~|warning SF203> config/x.yaml: is personal too",
        "<~|note SF212> is a note",
    ]
    assert [format_message(diagnostic, mark) for diagnostic in (ERROR, NOTE)] == [
        f"<!|Error: {CONTACT}:3:5: object: is wrong. Correct “it”. [SF209]>",
        "<~|Note: is a note [SF212]>",
    ]


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert render(capsys, LINTED, "markdown") == (
        1,
        f"""\
### 1 error, 2 warnings

#### Errors

- **error SF209** `{CONTACT}:3:5` is wrong. Correct “it”.

#### Warnings

- **warning SF203** `{CONTACT}:5:5` is 50% personal; remove it
- **warning SF203** `config/x.yaml` is personal too

#### Notes

- **note SF212** is a note
""",
    )


def test_annotations_of_a_workflow(capsys: pytest.CaptureFixture[str]) -> None:
    code, output = render(capsys, LINTED, "github")
    assert code == 1
    assert output.splitlines() == [
        f"::error file={CONTACT},line=3,col=5,title=SF209 {LINT_RULES['SF209'].name}::is wrong. Correct “it”.",
        f"::warning file={CONTACT},line=5,col=5,title=SF203 personal-data::is 50%25 personal; remove it",
        "::warning file=config/x.yaml,line=1,col=1,title=SF203 personal-data::is personal too",
        f"::notice file=sfcode.yaml,line=1,col=1,title=SF212 {LINT_RULES['SF212'].name}::is a note",
    ]
    assert render(capsys, (), "github") == (0, "")


def finding(diagnostic: Diagnostic, name: str, position: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {
        "rule": diagnostic.rule,
        "name": name,
        "level": diagnostic.level.word,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "path": diagnostic.path,
        "position": position,
        "related": None,
        **more,
    }


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    document = {
        "errors": 1,
        "warnings": 2,
        "findings": [
            finding(
                ERROR,
                LINT_RULES["SF209"].name,
                {"file": CONTACT, "line": 3, "column": 5},
                related={"file": TEMPLATE.file, "line": 2, "column": 1},
            ),
            finding(WARNING, "personal-data", {"file": CONTACT, "line": 5, "column": 5}),
            finding(OTHER_WARNING, "personal-data", None),
            finding(NOTE, LINT_RULES["SF212"].name, None),
        ],
    }
    assert render(capsys, LINTED, "json") == (1, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    code, output = render(capsys, LINTED, json=True)
    assert json.loads(output) == {
        "status": 1,
        "result": document,
        "warnings": [f"{CONTACT}:5:5: to_appcues: is 50% personal; remove it", "config/x.yaml: is personal too"],
    }
    assert code == 1


def test_json_of_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    code, output = render(capsys, DOCTORED, json=True)
    envelope = json.loads(output)
    assert (code, envelope["status"], envelope["warnings"]) == (
        0,
        0,
        ["config/sfcode.yaml:2:3: salesforce.api_version: is old"],
    )
    position = {"file": "config/sfcode.yaml", "line": 2, "column": 3}
    assert envelope["result"] == {
        "errors": 0,
        "warnings": 1,
        "findings": [
            finding(
                reported,
                DOCTOR_RULES[reported.rule].name,
                position if reported.position else None,
                id=reported.rule,
                where=reported.path,
                area=area,
                level=level,
                records=list(reported.records),
            )
            for reported, area, level in zip(DOCTORED, ("org", "data", "org"), ("warning", "info", "ok"), strict=True)
        ],
    }


def test_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    log = json.loads(render(capsys, LINTED, "sarif")[1])
    [run] = log["runs"]
    assert (run["columnKind"], run["tool"]["driver"]["name"]) == ("unicodeCodePoints", "sfcode")
    first_rule = next(iter(LINT_RULES.values()))
    assert run["tool"]["driver"]["rules"][0] == {
        "id": first_rule.id,
        "name": first_rule.name,
        "shortDescription": {"text": first_rule.says},
        "defaultConfiguration": {"level": first_rule.level.word},
    }
    assert [(result["ruleId"], result["level"], result["message"]["text"]) for result in run["results"]] == [
        ("SF209", "error", "Is wrong. Correct “it”."),
        ("SF203", "warning", "Is 50% personal; remove it."),
        ("SF203", "warning", "Is personal too."),
        ("SF212", "note", "Is a note."),
    ]
    assert run["results"][0]["relatedLocations"] == [
        {
            "id": 1,
            "physicalLocation": {
                "artifactLocation": {"uri": TEMPLATE.file, "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 2, "startColumn": 1},
            },
            "message": {"text": "The template that does it."},
        }
    ]
    assert {result["baselineState"] for result in run["results"]} == {"new"}
    assert len({result["partialFingerprints"]["sfcode/v1"] for result in run["results"]}) == 4
    [doctored] = json.loads(render(capsys, DOCTORED, "sarif")[1])["runs"]
    assert [rule["id"] for rule in doctored["tool"]["driver"]["rules"]] == list(DOCTOR_RULES)
    assert [(result.get("kind"), result["level"]) for result in doctored["results"]] == [
        (None, "warning"),
        (None, "note"),
        ("pass", "none"),
    ]


def test_sarif_marks_what_the_base_has_too_and_files_outside_of_a_repository() -> None:
    outside = Diagnostic("SF203", Level.WARNING, Position("/srv/a b.yaml", 1, 2), "x", "is personal")
    [run] = json.loads(format_sarif([WARNING, outside], folder="crm", older={WARNING}))["runs"]
    assert [result["baselineState"] for result in run["results"]] == ["unchanged", "new"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert places == [{"uri": f"crm/{CONTACT}", "uriBaseId": "%SRCROOT%"}, {"uri": "file:///srv/a%20b.yaml"}]
