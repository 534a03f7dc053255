"""A loaded project: its values, positions and digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.config.events_file import default_events
from sfcode.config.load import load
from sfcode.config.project import SecretRef
from sfcode.diagnostics import Position
from sfcode.errors import ConfigError
from tests.config.projects import CONTACT, ENVIRONMENTS, SENDING, SETTINGS, Folder

SECRET = "${secret:SFCODE_RELAY_OUTBOUND_SECRET}"


def test_shorthand_means_the_same_as_the_field_spelled_out(folder: Folder) -> None:
    short = folder.load()
    folder.write(
        "mappings/contact.yaml", CONTACT.replace("Title", "{field: Title}").replace("Key__c", "{field: Key__c}")
    )
    assert folder.load().mappings[0].spec == short.mappings[0].spec
    assert folder.load().digest == short.digest


def test_on_and_no_are_text(folder: Folder) -> None:
    text = CONTACT.replace("role", "no") + "  on: [update]\n"
    folder.write("mappings/contact.yaml", text)
    section = folder.load().mappings[0].spec.to_appcues
    assert section is not None
    assert (list(section.attributes), section.on) == (["no"], ("update",))


def test_variables_are_put_into_values_of_every_file(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS.replace("https://relay.example.com", "'https://${host}/'") + ENVIRONMENTS)
    folder.write("mappings/contact.yaml", SENDING + '  click_to_track: ["${host}: $${price} ${Host}${Host}"]\n')
    project = folder.load("local")
    section = project.mappings[0].spec.to_salesforce
    assert section is not None
    assert section.click_to_track == ("relay.example.com: ${price} xx",)
    assert project.settings.relay.url == "https://relay.example.com"


def test_a_variable_is_not_expanded_twice(folder: Folder) -> None:
    settings = SETTINGS + "environments: {a: {variables: {x: '$${y}', y: z}}}\n"
    folder.write("sfcode.yaml", settings)
    folder.write("mappings/contact.yaml", SENDING + "  click_to_track: ['${x}']\n")
    section = folder.load().mappings[0].spec.to_salesforce
    assert section is not None
    assert section.click_to_track == ("${y}",)


def test_the_only_environment_is_chosen_by_itself(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS + "environments: {uat: {org: 'alias:uat'}}\n")
    project = folder.load()
    assert (project.environment, project.target.org) == ("uat", "alias:uat")


def test_a_project_without_environments_has_a_default_one(folder: Folder) -> None:
    project = folder.load()
    assert (project.environment, project.target.org, project.target.protected) == ("default", None, False)


def test_a_secret_stays_a_placeholder_and_is_known_with_its_place(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS.replace("relay: {", "relay: {outbound_secret: '${secret:TOKEN}', "))
    project = folder.load()
    assert project.settings.relay.outbound_secret == "${secret:TOKEN}"
    place = Position("config/sfcode.yaml", 4, 27)
    assert project.secrets == (SecretRef("TOKEN", "relay.outbound_secret", place),)


def test_a_secret_in_a_variable_is_known_at_the_variable(folder: Folder) -> None:
    folder.write(
        "sfcode.yaml",
        SETTINGS.replace("relay: {", "relay: {outbound_secret: '${token}', ")
        + "environments: {a: {variables: {token: '${secret:A}', unused: '${secret:B}'}}, b: {variables: {token: x}}}\n",
    )
    project = folder.load("a")
    assert project.settings.relay.outbound_secret == "${secret:A}"
    place = Position("config/sfcode.yaml", 5, 40)
    assert project.secrets == (SecretRef("A", "environments.a.variables.token", place),)


def test_outbound_messages_need_a_secret_even_if_no_file_refers_to_it(folder: Folder) -> None:
    place = Position("config/sfcode.yaml", 4, 1)
    assert folder.load().secrets == (SecretRef("SFCODE_RELAY_OUTBOUND_SECRET", "relay.outbound_secret", place),)


@pytest.mark.parametrize("text", [SENDING + "  activities: [nps_score]\n", CONTACT + "delivery: connector\n"])
def test_without_outbound_messages_no_secret_is_needed(folder: Folder, text: str) -> None:
    folder.write("mappings/contact.yaml", text)
    assert folder.load().secrets == ()


def test_mappings_are_named_by_their_files_and_sorted(folder: Folder) -> None:
    folder.write("mappings/account.yaml", CONTACT.replace("Contact", "Account"))
    folder.write("mappings/.draft.yaml", "nonsense")
    folder.write("mappings/notes.txt", "nonsense")
    assert [mapping.name for mapping in folder.load().mappings] == ["account", "contact"]


def test_positions_are_those_of_the_key_or_its_nearest_parent(folder: Folder) -> None:
    project = folder.load()
    mapping = project.mappings[0]
    file = "config/mappings/contact.yaml"
    assert mapping.at("to_appcues", "attributes", "role") == Position(file, 6, 5)
    assert mapping.at("to_appcues", "attributes", "role", "type") == Position(file, 6, 5)
    assert mapping.at("delivery") == Position(file, 1, 1)
    assert project.at("relay", "url") == Position("config/sfcode.yaml", 4, 9)


def test_root_is_the_folder_that_holds_config(folder: Folder) -> None:
    project = folder.load()
    assert (project.root, project.templates) == (Path.cwd(), None)
    templates = Path.cwd() / "templates" / "metadata"
    templates.mkdir(parents=True)
    assert folder.load().templates == templates


def test_events_that_a_project_does_not_name_keep_the_shipped_texts(folder: Folder) -> None:
    assert folder.load().events == default_events()
    folder.write(
        "events.yaml", "version: 1\nactivities:\n  goal_reached: {subject: 'Goal {{ goalName }}', comment: ''}\n"
    )
    events = folder.load().events
    assert events.activities["goal_reached"].subject == "Goal {{ goalName }}"
    assert events.activities["flow_completed"] == default_events().activities["flow_completed"]
    assert events.properties == default_events().properties


def test_the_digest_ignores_layout_comments_and_other_environments(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS + "environments: {a: {variables: {x: 'y'}}}\n")
    before = folder.load("a").digest
    folder.write("sfcode.yaml", "# hello\n" + SETTINGS + "environments:\n  a: {variables: {z: w}}\n  b: {org: local}\n")
    folder.write("mappings/contact.yaml", CONTACT.replace("Title", "\n      field:   Title"))
    assert folder.load("a").digest == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sfcode.yaml", SETTINGS + "name: Other\n"),
        ("sfcode.yaml", SETTINGS + "environments: {default: {protected: true}}\n"),
        ("mappings/contact.yaml", CONTACT.replace("Title", "Department")),
        ("mappings/lead.yaml", CONTACT.replace("Contact", "Lead")),
        ("events.yaml", "version: 1\nactivities: {goal_reached: {subject: a, comment: b}}\n"),
    ],
)
def test_the_digest_changes_with_the_desired_components(folder: Folder, name: str, text: str) -> None:
    before = folder.load().digest
    folder.write(name, text)
    assert folder.load().digest != before


WARNINGS = {
    "workflow rule": (
        {"mappings/contact.yaml": CONTACT + "  trigger: workflow_rule\n"},
        [
            (
                "config/mappings/contact.yaml:7:12: to_appcues.trigger: Salesforce ended support for workflow rules on "
                "2025-12-31, and may refuse new ones; set trigger: flow, which sends the same changes"
            )
        ],
    ),
    "deprecated profile": (
        {"sfcode.yaml": SETTINGS.replace("email:", "profile: Salesforce API Only System Integrations, email:")},
        [
            (
                "config/sfcode.yaml:2:60: integration_user.profile: Salesforce replaced the profile Salesforce API Only "
                "System Integrations, which new orgs do not have; write Minimum Access - API Only Integrations"
            )
        ],
    ),
    "newer API version": (
        {"sfcode.yaml": SETTINGS + "salesforce: {api_version: '67.0'}\n"},
        [
            (
                "config/sfcode.yaml:5:27: salesforce.api_version: newer than 63.0, the version whose schema sfcode checks "
                'packages against; write "63.0" unless you need more'
            )
        ],
    ),
    "private address": (
        {"sfcode.yaml": SETTINGS.replace("relay.example.com", "10.0.0.1")},
        [
            (
                "config/sfcode.yaml:4:14: relay.url: Salesforce probably cannot reach 10.0.0.1: it looks like a name or address "
                "of a private network; give the relay a public address"
            )
        ],
    ),
    "sha1": (
        {
            "sfcode.yaml": SETTINGS.replace(
                "relay: {", "relay: {webhook_auth: {scheme: hmac, header: X-A, algorithm: sha1}, "
            )
        },
        [
            "config/sfcode.yaml:4:62: relay.webhook_auth.algorithm: SHA-1 is deprecated; write sha256 if Appcues supports it"
        ],
    ),
    "a person as a group": (
        {"mappings/contact.yaml": CONTACT + "match: group\n"},
        [
            (
                "config/mappings/contact.yaml:7:8: match: a Contact is a person, and a group in Appcues is usually an "
                "account; write match: user unless this is intended"
            )
        ],
    ),
    "what the connector does not do": (
        {
            "mappings/contact.yaml": CONTACT + "delivery: connector\n",
            "mappings/lead.yaml": CONTACT.replace("Contact", "Lead").replace("Title", "{field: Title, type: string}")
            + "delivery: connector\n",
        },
        [
            (
                "config/mappings/lead.yaml:6:26: to_appcues.attributes.role.type: has no effect with delivery: connector, "
                "which determines the type itself; remove it"
            ),
            (
                "config/mappings/lead.yaml:7:11: delivery: Appcues' connector maps one object, and "
                "config/mappings/contact.yaml already uses it; write delivery: relay"
            ),
        ],
    ),
}


@pytest.mark.parametrize("title", WARNINGS)
def test_a_valid_config_with_a_probable_mistake_has_a_warning(folder: Folder, title: str) -> None:
    files, expected = WARNINGS[title]
    for name, text in files.items():
        folder.write(name, text)
    assert list(folder.load().warnings) == expected


def test_a_project_without_mistakes_has_no_warnings(folder: Folder) -> None:
    assert folder.load().warnings == ()


@pytest.mark.parametrize(
    "url",
    ["https://relay.example.com:8443", "https://relay.example.com/a/b", "http://localhost:1", "http://[::1]:8400"],
)
def test_valid_urls_are_accepted(folder: Folder, url: str) -> None:
    folder.write("sfcode.yaml", SETTINGS.replace("https://relay.example.com", f"'{url}/'"))
    assert folder.load().settings.relay.url == url


def test_a_copied_folder_keeps_the_paths_of_the_original(folder: Folder, tmp_path: Path) -> None:
    """Problems of a copied folder are shown at the original paths."""
    copy = tmp_path / "copy" / "config"
    folder.path.rename(tmp_path / "moved")
    copy.parent.mkdir()
    (tmp_path / "moved").rename(copy)
    project = load(copy, name=Path("config"))
    assert project.mappings[0].at("object").file == "config/mappings/contact.yaml"
    (copy / "mappings" / "contact.yaml").write_text("object: 1\n")
    with pytest.raises(ConfigError) as caught:
        load(copy, name=Path("config"))
    assert {problem.position.file for problem in caught.value.problems if problem.position} == {
        "config/mappings/contact.yaml"
    }


def test_advice_is_the_warnings_with_their_places(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS + 'salesforce: {api_version: "64.0"}\n')
    project = folder.load()
    assert [str(problem) for problem in project.advice] == list(project.warnings)
    assert [problem.position.line for problem in project.advice if problem.position] == [5]


def test_the_review_section_is_not_part_of_the_digest(folder: Folder) -> None:
    """A saved plan remains valid if only the review section of the config has changed."""
    before = folder.load().digest
    folder.write("sfcode.yaml", SETTINGS + "review: {personal_data: {fields: [Badge__c], accepted: [Contact.Email]}}\n")
    project = folder.load()
    assert project.settings.review.personal_data.accepted == ("Contact.Email",)
    assert project.digest == before


def test_the_templates_of_sfcode_itself_are_not_a_projects_own(root: Path) -> None:
    assert load(root / "config", "local").templates is None
