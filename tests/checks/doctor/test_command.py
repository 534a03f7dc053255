"""`sfcode doctor` on the command line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from sfcode.checks.rules import DOCTOR_RULES
from sfcode.local import serve
from tests.checks.doctor.clinic import USERNAME, Clinic, token
from tests.e2e.journey import ENVIRON, Journey, Result

PAGE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "doctor.md"


def run(clinic: Clinic, *words: str) -> Result:
    return Journey(clinic.folder).run(*words)


def test_a_healthy_org_exits_with_0_and_lists_the_passed_checks(clinic: Clinic) -> None:
    result = run(clinic, "doctor")
    assert (result.code, result.err) == (0, "")
    assert result.last_line == "0 errors, 1 warning."
    assert re.findall(r"^\w+$", result.out, re.MULTILINE) == ["Warnings", "Notes", "Good"]


def test_an_error_exits_with_1_and_comes_first_with_its_place(clinic: Clinic) -> None:
    """Each finding is one line; with --quiet, findings without a problem are left out."""
    clinic.unassign("PermissionSetAssignment")
    result = run(clinic, "--quiet", "doctor")
    lines = result.out.splitlines()
    assert result.code == 1
    assert lines[0] == "Errors"
    assert re.match(r"  D211  config/sfcode\.yaml:\d+:\d+: name: .+\. Run sfcode apply\.$", lines[1])
    assert (lines[-1], "Good" in lines) == ("1 error, 1 warning.", False)


def test_json_is_the_envelope(clinic: Clinic) -> None:
    """Findings have ID, level, place and records; the warnings of the envelope are lines of text."""
    clinic.unassign("PermissionSetAssignment")
    answer = run(clinic, "--json", "doctor")
    assert (answer.code, answer.json["status"]) == (1, 1)
    result = answer.json["result"]
    assert (result["errors"], result["warnings"], len(answer.json["warnings"])) == (1, 1, 1)
    first = result["findings"][0]
    assert (first["id"], first["name"], first["area"], first["level"]) == (
        "D211",
        "permission-set-assignment",
        "integration user",
        "error",
    )
    assert first["position"]["file"] == "config/sfcode.yaml"
    (double,) = (finding for finding in result["findings"] if finding["level"] == "warning")
    assert re.fullmatch(r"003\w{15} = 003\w{15}", double["records"][0])


def test_a_second_sign_in_counts_as_the_integration_user(clinic: Clinic) -> None:
    """`--as env:RELAY` takes RELAY_SF_ACCESS_TOKEN and RELAY_SF_ORG_INSTANCE_URL."""
    with serve(clinic.state) as local:
        environ = {
            **ENVIRON,
            "SF_ACCESS_TOKEN": local.access_token,
            "RELAY_SF_ACCESS_TOKEN": token(local, USERNAME),
            "RELAY_SF_ORG_INSTANCE_URL": local.url,
        }
        journey = replace(Journey(clinic.folder), environ=environ)
        result = journey.run("--org", local.url, "--json", "doctor", "--as", "env:RELAY")
    messages = [finding["message"] for finding in result.json["result"]["findings"] if finding["id"] == "D508"]
    assert messages == [
        "the integration user (contact) sees 26 of 26 records with a user ID",
        "the integration user (lead) sees 11 of 11 records with a user ID",
    ]


def test_the_local_org_as_second_sign_in_is_refused(clinic: Clinic) -> None:
    result = run(clinic, "doctor", "--as", "local")
    assert result.code == 1
    assert "administrator, too" in result.err


def test_every_finding_is_documented_once_under_its_name() -> None:
    rows = re.findall(r"^\| (D\d{3}) \| `([\w-]+)` \| .+ \| .+ \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [(rule.id, rule.name) for rule in DOCTOR_RULES.values()]
