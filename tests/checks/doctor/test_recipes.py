"""Doctor's findings about recipes: roles of records, and activities that are about to be archived."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sfcode.checks.doctor import examine
from sfcode.checks.doctor.collect_roles import SHARED_BY, _tally
from sfcode.checks.doctor.facts import RoleCounts, Unknown
from sfcode.config import load
from sfcode.diagnostics import Level
from sfcode.mapping.value_map import ValueMap
from sfcode.org import connect
from tests.checks.doctor.clinic import USERNAME, Clinic, find_only, token
from tests.checks.doctor.test_checks import CONTACT, HEALTHY

ROLES = """\
role:
      field: Title
      map: {VP Sales: sales, "  vp   SALES ops ": sales, Engineer: tech}
"""
RECIPE = "version: 1\nrole_onboarding: {attribute: role, values: [sales, tech]}\n"


def with_roles(clinic: Clinic, *, default: str = "") -> None:
    clinic.edit("mappings/contact.yaml", "role: Title # role-specific onboarding\n", ROLES + default)
    (clinic.folder / "config" / "recipes.yaml").write_text(RECIPE, encoding="utf-8")
    for name in ("lead", "account"):
        path = clinic.folder / "config" / "mappings" / f"{name}.yaml"
        if path.exists() and "role: Title" in path.read_text(encoding="utf-8"):
            clinic.edit(f"mappings/{name}.yaml", "role: Title", "title: Title")


def set_titles(clinic: Clinic, titles: list[str | None]) -> int:
    """Set the titles of contacts with a user ID, remove all other titles, and return the number of contacts with an ID."""
    with clinic.org() as (_, org):
        rows = org.query("SELECT Id FROM Contact WHERE Product_User_Id__c != null ORDER BY Id")
        for row, title in zip(rows, titles + [None] * len(rows), strict=False):
            org.update("Contact", row["Id"], {"Title": title})
        return len(rows)


def test_the_records_of_each_role_are_counted_and_common_titles_without_a_role_are_named(clinic: Clinic) -> None:
    with_roles(clinic)
    titles: list[str | None] = ["vp sales", "VP  Sales", "VP Sales Ops", *["Chief of Staff"] * SHARED_BY, "Only Me"]
    people = set_titles(clinic, titles)
    findings = [finding for finding in clinic.run_doctor() if finding.rule == "D514"]
    blank = people - len(titles)
    none = blank + SHARED_BY + 1
    assert [(finding.level, finding.message) for finding in findings] == [
        (
            Level.NOTE,
            f"role of contact: sales 3, none {none} ({blank} blank, {SHARED_BY + 1} with a value that `map` does not list)",
        ),
        (Level.NOTE, "no record of contact has the role tech: a segment of it is empty"),
    ]
    assert {finding.hint for finding in findings} == {"Most frequent values without their own line: Chief of Staff."}
    assert [finding.path for finding in findings] == ["to_appcues.attributes.role", "role_onboarding.values"]


def test_with_a_default_only_blank_fields_have_no_role(clinic: Clinic) -> None:
    with_roles(clinic, default="      default: tech\n")
    people = set_titles(clinic, ["VP Sales", "Cook"])
    finding = find_only(clinic.run_doctor(), "D514", Level.NOTE)
    assert finding.message == f"role of contact: sales 1, tech 1, none {people - 2} ({people - 2} blank)"


def test_activities_that_are_about_to_be_archived_are_counted(clinic: Clinic) -> None:
    (clinic.folder / "config" / "recipes.yaml").write_text("version: 1\ncompleted_flows:\n", encoding="utf-8")
    assert not [other_finding for other_finding in clinic.run_doctor() if other_finding.rule == "D515"]
    with clinic.org() as (local, org):
        (contact,) = org.query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")
        with connect(local.url, environ={"SF_ACCESS_TOKEN": token(local, USERNAME)}, api_version="63.0") as relay:
            for writer, days in ((relay, 360), (relay, 300), (org, 360)):
                begin = org.now() - timedelta(days=days)
                values = {"Subject": "Appcues", "WhoId": contact["Id"], "DurationInMinutes": 1}
                writer.create("Event", {**values, "StartDateTime": begin.isoformat(timespec="milliseconds")})
    finding = find_only(clinic.run_doctor(), "D515", Level.NOTE)
    assert finding.message.startswith("1 activities are about to be archived")


def test_each_count_of_roles_has_its_level_and_its_words(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "config", tmp_path / "config")
    with_roles(Clinic(tmp_path))
    project = load(tmp_path / "config", "local")
    text = "no record of contact has the role sales, tech: a segment of it is empty"
    few = "Most frequent values without their own line: Cook, Chief."
    for counts, expected in (
        (RoleCounts({"sales": 1200, "tech": 3}, 0, 0), [("ok", "role of contact: sales 1,200, tech 3, none 0", "")]),
        (
            RoleCounts({"sales": 1, "tech": 3}, 0, 0, complete=False),
            [("ok", "role of contact: sales 1, tech 3, none 0; the rarest values were not counted", "")],
        ),
        (
            RoleCounts({}, 4000, 0),
            [("warning", "role of contact: none 4,000 (4,000 blank)", ""), ("note", text, "")],
        ),
        (
            RoleCounts({}, 0, 5000, ("Cook", "Chief")),
            [
                ("warning", "role of contact: none 5,000 (5,000 with a value that `map` does not list)", few),
                ("note", text, few),
            ],
        ),
        (
            RoleCounts({"tech": 1}, 1, 1, complete=False),
            [
                (
                    "note",
                    (
                        "role of contact: tech 1, none 2 (1 blank, 1 with a value that `map` does not list); "
                        "the rarest values were not counted"
                    ),
                    "",
                )
            ],
        ),
        (Unknown("no"), [("note", "the records of each role of contact were not counted: no", "")]),
        (None, []),
    ):
        facts = replace(HEALTHY, mappings=(replace(CONTACT, roles=counts),))
        findings = [finding for finding in examine(project, facts) if finding.rule == "D514"]
        assert [(finding.level.word, finding.message, finding.hint) for finding in findings] == expected


MAP = ValueMap((("VP Sales", "sales"), ("Engineer", True)))
SPELLINGS = ["vp sales", "VP  Sales ", "Engineer", "Cook", " cook", "", None]


@given(st.lists(st.sampled_from(SPELLINGS), max_size=60))
def test_counts_equal_those_counted_in_python(titles: list[str | None]) -> None:
    counts = _tally(MAP, Counter(titles).items(), complete=True)
    sales = sum(str(title).strip().lower() in ("vp sales", "vp  sales") for title in titles)
    engineers = titles.count("Engineer")
    cooks = titles.count("Cook") + titles.count(" cook")
    assert (counts.roles.get("sales", 0), counts.roles.get("true", 0)) == (sales, engineers)
    assert counts.unlisted == cooks
    assert counts.blank == len(titles) - sales - engineers - cooks
    assert {*counts.unlisted_values} == {title for title in ("Cook", " cook") if titles.count(title) >= SHARED_BY}
