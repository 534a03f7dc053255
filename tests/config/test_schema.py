"""The JSON Schema accepts the same values as the loader, if one value of one file is sufficient to decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sfcode.config.reference import render_reference
from sfcode.config.schema import DIALECT, KINDS, json_schema, render_json_schema
from sfcode.config.yaml import parse
from tests.config.projects import CONTACT, ENVIRONMENTS, SENDING, SETTINGS, Folder

EXAMPLES = {
    "sfcode": ["config/sfcode.yaml", "sfcode/scaffold/config/sfcode.yaml"],
    "mapping": [
        "config/mappings/contact.yaml",
        "config/mappings/lead.yaml",
        "sfcode/scaffold/config/mappings/contact.yaml",
    ],
    "events": ["config/events.yaml"],
}
PAIRS = [(kind, name) for kind, names in EXAMPLES.items() for name in names]


def validator(kind: str | None) -> Any:
    return jsonschema.Draft202012Validator(json_schema(kind))


def read(path: Path) -> Any:
    return parse(path.read_bytes(), path.name).data


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_the_schema_is_one_of_draft_2020_12(kind: str | None) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))
    assert json_schema(kind)["$schema"] == DIALECT == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_the_shipped_files_fit_their_schema_and_the_one_of_all_files(root: Path, kind: str, name: str) -> None:
    data = read(root / name)
    assert list(validator(kind).iter_errors(data)) == []
    assert list(validator(None).iter_errors(data)) == []


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_the_first_line_leads_editors_to_the_schema(root: Path, kind: str, name: str) -> None:
    first = (root / name).read_text(encoding="utf-8").splitlines()[0]
    reference_text = first.removeprefix("# yaml-language-server: $schema=")
    base = "sfcode/scaffold/config" if name.startswith("sfcode/") else "config"
    target = (root / name).parent / reference_text
    assert target.resolve() == (root / base / ".schema" / f"{kind}.json").resolve()


@pytest.mark.parametrize("kind", KINDS)
def test_the_repositorys_copy_for_editors_is_current(root: Path, kind: str) -> None:
    assert (root / "config" / ".schema" / f"{kind}.json").read_text(encoding="utf-8") == render_json_schema(kind)


def test_the_reference_is_current(root: Path) -> None:
    page = (root / "docs" / "reference" / "mapping-language.md").read_text(encoding="utf-8")
    assert page == render_reference(), (
        "write it with: python -m sfcode.config.reference > docs/reference/mapping-language.md"
    )


def test_the_reference_describes_every_key(root: Path) -> None:
    for kind in KINDS:
        for model in [json_schema(kind), *json_schema(kind)["$defs"].values()]:
            for key, details in model.get("properties", {}).items():
                assert f"| `{key}` |" in render_reference()
                assert "description" in details or any("$ref" in option for option in details.get("anyOf", [details]))


ALIKE = {
    "shorthand": ("mapping", CONTACT, True),
    "spelled out": ("mapping", CONTACT.replace("Title", "{field: Title, type: string}"), True),
    "a variable where a name belongs": ("mapping", CONTACT.replace("Title", "${host}"), True),
    "a variable where a choice belongs": ("mapping", CONTACT.replace(": to_appcues", ": ${way}"), True),
    "an empty section": ("mapping", CONTACT + "to_salesforce:\n", True),
    "a variable in an environment": ("sfcode", SETTINGS + "environments: {local: {org: '${host}'}}\n", False),
    "environments": ("sfcode", SETTINGS + ENVIRONMENTS, True),
    "an unknown key": ("mapping", CONTACT + "zzz: 1\n", False),
    "an unknown key below": ("mapping", CONTACT + "  zzz: 1\n", False),
    "an unknown key in a spelled out field": ("mapping", CONTACT.replace("Title", "{field: Title, x: y}"), False),
    "a missing key": ("mapping", "object: Contact\n", False),
    "a wrong choice": ("mapping", CONTACT + "match: person\n", False),
    "a wrong name": ("mapping", CONTACT.replace("Title", "a b"), False),
    "a reserved attribute": ("mapping", CONTACT.replace("role", "_role"), False),
    "an unknown event": ("mapping", SENDING + "  activities: [x]\n", False),
    "an event of Appcues itself": ("mapping", SENDING + "  click_to_track: ['appcues:x']\n", False),
    "a number for text": ("sfcode", SETTINGS.replace('"1"', "1"), False),
    "another version": ("sfcode", SETTINGS.replace("version: 1", "version: 2"), False),
    "a bad environment name": ("sfcode", SETTINGS + "environments: {local: {}, 'a b': {}}\n", False),
    "an unknown text": ("events", "version: 1\nactivities: {x: {subject: a, comment: b}}\n", False),
    "an unknown property": ("events", "version: 1\nproperties: {nps_score: {stars: a}}\n", False),
    "an empty subject": ("events", "version: 1\nactivities: {goal_reached: {subject: '', comment: b}}\n", False),
}


@pytest.mark.parametrize("title", ALIKE)
def test_the_schema_accepts_what_the_loader_accepts(folder: Folder, title: str) -> None:
    kind, text, good = ALIKE[title]
    variables = "environments: {local: {variables: {host: Title, way: to_appcues}}}\n"
    if kind != "sfcode":
        folder.write("sfcode.yaml", SETTINGS + variables)
    folder.write({"sfcode": "sfcode.yaml", "mapping": "mappings/contact.yaml", "events": "events.yaml"}[kind], text)
    assert validator(kind).is_valid(parse(text.encode(), "f").data) is good
    if good:
        folder.load("local" if "environments" in text or kind != "sfcode" else None)
    else:
        assert folder.problems("local" if "environments" in text or kind != "sfcode" else None)


def test_the_schema_is_plain_json_that_other_tools_read() -> None:
    assert yaml.safe_load(render_json_schema("mapping")) == json.loads(render_json_schema("mapping"))
