"""A syntax error is reported at the line of the mistake, without errors that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.config import load
from sfcode.errors import ConfigError

SETTINGS = """\
version: 1
integration_user:
  username: a@example.com
  email: admin@example.com
appcues: {account_id: "1"}
relay:
  url: ${relay_url}
environments:
  local:
    variables:
      relay_url: https://relay.example.com
"""
MAPPING = """\
object: Contact
user_id: {field: Id__c}
to_appcues:
  on: [create]
  attributes:
    role: Title
    plan: Plan__c
to_salesforce:
  activities: [nps_score]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config"
    (config / "mappings").mkdir(parents=True)
    (config / "sfcode.yaml").write_text(SETTINGS, encoding="utf-8")
    (config / "mappings" / "contact.yaml").write_text(MAPPING, encoding="utf-8")
    return Path("config")


def problems(folder: Path, name: str, before: str, after: str) -> list[str]:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [str(problem).removeprefix("config/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("    role: Title", "    role Title", "6:5: not valid YAML: no colon after the key; write `role: Title`"),
        ("to_appcues:", "to_appcues", "3:1: not valid YAML: no colon after the key; write `to_appcues:`"),
        ("role: Title", "role:Title", "6:5: not valid YAML: no space after the colon; write `role: Title`"),
        (
            "object: Contact",
            'object: "Contact',
            "1:9: not valid YAML: a quote that is not closed; close it where the value ends",
        ),
        (
            "role: Title",
            "role: 'Title",
            "6:11: not valid YAML: a quote that is not closed; close it where the value ends",
        ),
        (
            "[create]",
            "[create",
            "4:7: not valid YAML: a [ that is not closed; close it with ], and check the commas in it",
        ),
        (
            "{field: Id__c}",
            "{field: Id__c",
            "2:10: not valid YAML: a { that is not closed; close it with }, and check the commas in it",
        ),
        (
            "    role: Title",
            "\u00a0\u00a0\u00a0\u00a0role: Title",
            (
                "6:1: not valid YAML: the character U+00A0 (no-break space) looks like a space, but is not one in YAML; "
                "replace it with a plain space"
            ),
        ),
        (
            "role: Title",
            "role:\u00a0Title",
            (
                "6:10: not valid YAML: the character U+00A0 (no-break space) looks like a space, but is not one in YAML; "
                "replace it with a plain space"
            ),
        ),
        ("    role: Title", "\trole: Title", "6:1: not valid YAML: a tab in the indentation; indent with spaces"),
        (
            "    role: Title\n",
            "<<<<<<< HEAD\n    role: Title\n=======\n    role: Department\n>>>>>>> branch\n",
            (
                "6:1: not valid YAML: an unresolved git conflict; keep one of the two sides, and remove the lines "
                "with <<<<<<<, ======= and >>>>>>>"
            ),
        ),
        (
            "on: [create]",
            "true: [create]",
            (
                "4:3: to_appcues.true: unknown key; write on: a program that reads YAML 1.1 has converted this key to a boolean"
            ),
        ),
        (
            "object: Contact",
            "object: \u201cContact\u201d",
            (
                '1:9: object: "\u201cContact\u201d" has curly quotes, which YAML reads as part of the text; use straight quotes: "Contact"'
            ),
        ),
        (
            "[nps_score]",
            "[\u201cnps_score\u201d]",
            (
                '9:16: to_salesforce.activities[0]: "\u201cnps_score\u201d" has curly quotes, which YAML reads as part of the text; use straight quotes: "nps_score"'
            ),
        ),
    ],
)
def test_only_the_first_mistake_is_reported(folder: Path, before: str, after: str, message: str) -> None:
    assert problems(folder, "mappings/contact.yaml", before, after) == [f"mappings/contact.yaml:{message}"]


def test_a_bad_value_of_a_variable_is_reported_at_its_use_and_its_definition(folder: Path) -> None:
    assert problems(folder, "sfcode.yaml", "relay_url: https://", "relay_url: htp://") == [
        (
            'sfcode.yaml:7:8: relay.url: "htp://relay.example.com" is not an http address (${relay_url} of '
            "config/sfcode.yaml:11:18); write it like https://relay.example.com"
        )
    ]


@pytest.mark.parametrize("name", ["ro\u202ale", "ro\u200ble", "role\u2066"])
def test_invisible_characters_in_names_are_refused_and_escaped(folder: Path, name: str) -> None:
    (problem,) = problems(folder, "mappings/contact.yaml", "role: Title", f'"{name}": Title')
    spelled = name.encode("unicode_escape").decode()
    assert problem.startswith(
        f'mappings/contact.yaml:6:5: to_appcues.attributes."{spelled}": "{spelled}" is not a valid name'
    )
    assert problem.isprintable()


def test_the_joiners_of_emoji_are_part_of_a_name(folder: Path) -> None:
    path = folder / "mappings" / "contact.yaml"
    path.write_text(MAPPING + '  click_to_track: ["Clicked \U0001f469\u200d\U0001f680"]\n', encoding="utf-8")
    assert load(folder).warnings == ()


def test_settings_with_another_file_extension_are_reported(folder: Path) -> None:
    (folder / "sfcode.yaml").rename(folder / "sfcode.yml")
    with pytest.raises(
        ConfigError, match=r"config/sfcode\.yml: sfcode does not read this file; rename it to sfcode\.yaml"
    ):
        load(folder)


def test_unread_files_are_warnings(folder: Path) -> None:
    for name in ("event.yaml", "lead.yaml", "mapping/lead.yaml", ".schema/mine.yaml", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("a: 1\n", encoding="utf-8")
    assert load(folder).warnings == (
        "config/event.yaml: sfcode does not read this file; rename it to events.yaml",
        "config/lead.yaml: sfcode does not read this file; move a mapping to mappings/, or remove the file",
        "config/mapping/lead.yaml: sfcode does not read this file; move a mapping to mappings/, or remove the file",
    )


@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("mappings/contact.yaml", "object: Contact", "object Contact", "1:1: not valid YAML: no colon after the key"),
        (
            "mappings/contact.yaml",
            "user_id: {field: Id__c}",
            "user_id {field: Id__c, from: No__c}",
            "2:1: not valid YAML: no colon after the key; write `user_id: {field: Id__c, from: No__c}`",
        ),
        ("mappings/contact.yaml", "role: Title", "ro\u00a0le: Title", '6:5: to_appcues.attributes."ro\\xa0le": '),
        (
            "mappings/contact.yaml",
            "role: Title",
            "\u201crole\u201d: Title",
            '6:5: to_appcues.attributes."\u201crole\u201d": "\u201crole\u201d" has curly quotes',
        ),
    ],
)
def test_a_wrong_key_is_reported_at_its_position(
    folder: Path, file: str, before: str, after: str, message: str
) -> None:
    (only,) = problems(folder, file, before, after)
    assert only.startswith(f"{file}:{message}")


def test_values_that_use_an_invalid_variable_are_not_reported(folder: Path) -> None:
    (only,) = problems(folder, "sfcode.yaml", "relay_url: https://relay.example.com", "relay_url: 5")
    assert "relay_url: expected text, found the number 5" in only


def test_a_mapping_with_another_extension_is_not_reported_as_missing(folder: Path) -> None:
    path = folder / "mappings" / "contact.yaml"
    path.rename(path.with_suffix(".yml"))
    with pytest.raises(ConfigError) as refused:
        load(folder)
    assert [problem.message for problem in refused.value.problems] == ["the names of mappings end in .yaml"]


def test_settings_with_another_extension_beside_the_read_ones_are_a_warning(folder: Path) -> None:
    (folder / "sfcode.yml").write_text("version: 1\n", encoding="utf-8")
    assert load(folder).warnings == (
        "config/sfcode.yml: sfcode does not read this file; remove it: sfcode reads sfcode.yaml",
    )


@pytest.mark.parametrize("key", ["last_name", "license", "profile"])
def test_invisible_characters_in_values_that_are_names_are_refused(folder: Path, key: str) -> None:
    (only,) = problems(folder, "sfcode.yaml", "integration_user:\n", f'integration_user:\n  {key}: "A\u202eB"\n')
    assert f'integration_user.{key}: "A\\u202eB" is empty, or contains invisible characters' in only
