"""The manual steps in Appcues, for each authentication scheme of webhooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.apply.next_steps import MOVED, ROLL_OUT, WIDTH, list_steps, next_steps
from sfcode.config import load
from sfcode.config.project import Project
from tests.generate import projects

SETTINGS = """\
version: 1
integration_user: {{username: appcues@example.com, email: admin@example.com}}
appcues: {{account_id: "1"}}
relay: {{url: "{url}", webhook_auth: {{{auth}}}}}
"""
CONTACT = """\
object: Contact
direction: to_salesforce
user_id: Key__c
to_salesforce: {activities: [flow_completed]}
"""
PUBLIC = "https://relay.example.com"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
CLICKED = {"activities": ["flow_completed"], "click_to_track": ["Zoom", "Invited"]}
LEAD = {
    "object": "Lead",
    "direction": "to_appcues",
    "user_id": {"field": "Key__c"},
    "to_appcues": {"attributes": {"b": {"field": "Title"}, "a": {"field": "Company"}}},
}
ACCOUNT = {
    "object": "Account",
    "direction": "to_salesforce",
    "match": "group",
    "user_id": {"field": "Key__c"},
    "to_salesforce": CLICKED,
}
WIZARD = {
    **projects.CONTACT,
    "delivery": "connector",
    "to_salesforce": {**projects.CONTACT["to_salesforce"], "click_to_track": ["Trial started"]},
}

ACCESS_AND_START = """\
Left to do in Salesforce:
  - Give people access to the new fields, which nobody can read yet,
      administrators included. This command assigns the permission set
      Appcues_Viewer; `viewers:` in sfcode.yaml lists people permanently
      sfcode --env local viewers add USERNAME
Then run the relay: sfcode --env local relay serve"""

WITH_RELAY = f"""\
Left to do in Appcues:
  - Settings, Webhooks: create a webhook
      URL     https://relay.example.com/webhooks/appcues/<value of SFCODE_RELAY_WEBHOOK_SECRET>
      Events  appcues:flow_completed, appcues:nps_feedback, appcues:nps_score,
              appcues:nps_score_and_feedback
  - Settings, API keys: make a key for the relay (account 1, us)
  - Installation: the ID in Appcues.identify(USER_ID)
      must equal Contact.Appcues_User_Id__c
{ACCESS_AND_START}"""

WITH_CONNECTOR = """\
Left to do in Appcues:
  - Integrations, Salesforce (contact): run the wizard
      Step 1  sign in as a user who can sign in with a browser, such as an
              administrator, unlike appcues.integration@example.com; record type
              Contact
      Step 2  both directions
      Step 3  match on Appcues_User_Id__c; send Plan__c, Title
      Step 4  click-to-track: yes; NPS score to Appcues_NPS_Score__c, NPS
              feedback to Appcues_NPS_Feedback__c
  - Integrations, Salesforce (lead): run the wizard
      Step 1  sign in as a user who can sign in with a browser, such as an
              administrator, unlike appcues.integration@example.com; record type
              Lead
      Step 2  Salesforce to Appcues only
      Step 3  match on Key__c; send Company, Title
      Step 4  click-to-track: no; no NPS fields"""

WITH_GROUPS = f"""\
Left to do in Appcues:
  - Settings, Webhooks: create a webhook
      URL     https://relay.example.com/webhooks/appcues/<value of SFCODE_RELAY_WEBHOOK_SECRET>
      Events  appcues:flow_completed
  - Events Broadcaster (an add-on): send these click-to-track events to this URL
      Invited, Zoom
  - Installation: the ID in Appcues.group(ACCOUNT_ID)
      must equal Account.Key__c
Left to do for the relay's sign-in:
  - Salesforce Setup, External Client App Manager, Appcues Relay, Settings,
      OAuth Settings:
      Consumer Key     into SF_CLIENT_ID of the relay's environment
      Consumer Secret  into SF_CLIENT_SECRET; put neither into a file of this
                       project
      SF_ORG_INSTANCE_URL  the address of this org (Setup, My Domain)
      A new key is refused as invalid_client_id for up to 30 minutes; the relay
      waits and tries again
{ACCESS_AND_START}"""

WITH_JWT = """\
Left to do in Appcues:
  - Settings, API keys: make a key for the relay (account 1, us)
  - Installation: the ID in Appcues.identify(USER_ID)
      must equal Lead.Key__c
Left to do for the relay's sign-in:
  - Salesforce Setup, External Client App Manager, Appcues Relay, Settings,
      OAuth Settings:
      Consumer Key     into SF_CONSUMER_KEY of the relay's environment
      SF_JWT_KEY_FILE  is the private key of the certificate, on the relay's
                       machine alone
      SF_USERNAME      appcues.integration@example.com
      SF_ORG_INSTANCE_URL  the address of this org (Setup, My Domain)
      A new key is refused as invalid_client_id for up to 30 minutes; the relay
      waits and tries again
Then run the relay: sfcode --env local relay serve"""


def webhook(folder: Path, auth: str, url: str = PUBLIC) -> str:
    """Return the printed text about the webhook, without its events, in one line."""
    (folder / "mappings").mkdir()
    (folder / "sfcode.yaml").write_text(SETTINGS.format(url=url, auth=auth))
    (folder / "mappings" / "contact.yaml").write_text(CONTACT)
    lines = next_steps(load(folder)).splitlines()
    start = next(index for index, line in enumerate(lines) if "create a webhook" in line)
    end = next(index for index, line in enumerate(lines) if "- Installation" in line)
    return " ".join(" ".join(line.split()) for line in lines[start + 1 : end] if "Events" not in line)


@pytest.mark.parametrize(
    ("auth", "lines"),
    [
        ("scheme: path", []),
        ("scheme: header, header: X-Token", ["Header  X-Token: <value of SFCODE_RELAY_WEBHOOK_SECRET>"]),
        ("scheme: bearer", ["Header  Authorization: Bearer <value of SFCODE_RELAY_WEBHOOK_SECRET>"]),
        ("scheme: basic", ["Sign-in Basic: user name and password are USER:PASSWORD in SFCODE_RELAY_WEBHOOK_SECRET"]),
        (
            "scheme: hmac, header: X-Sig",
            [
                "Signing HMAC-SHA-256 of {body} in hex, with the key in SFCODE_RELAY_WEBHOOK_SECRET",
                "in the header X-Sig: <signature>",
            ],
        ),
        (
            (
                "scheme: hmac, header: X-Sig, algorithm: sha512, encoding: base64, prefix: v1=, timestamp_header: X-Time, "
                'signed: "{timestamp}.{body}"'
            ),
            [
                "Signing HMAC-SHA-512 of {timestamp}.{body} in base64, with the key in SFCODE_RELAY_WEBHOOK_SECRET",
                "in the header X-Sig: v1=<signature>",
                "and the time of signing in the header X-Time",
            ],
        ),
        (
            "scheme: standard_webhooks",
            [
                "Signing Standard Webhooks: copy the signing secret, which begins with whsec_,",
                "into SFCODE_RELAY_WEBHOOK_SECRET",
            ],
        ),
    ],
)
def test_the_webhook_url_contains_a_token_only_with_the_scheme_path(
    tmp_path: Path, auth: str, lines: list[str]
) -> None:
    token = "/<value of SFCODE_RELAY_WEBHOOK_SECRET>" if auth == "scheme: path" else ""
    expected = " ".join([f"URL {PUBLIC}/webhooks/appcues{token}", *lines])
    assert webhook(tmp_path, auth) == " ".join(expected.split())


def test_a_relay_on_this_machine_needs_no_sign_in(tmp_path: Path) -> None:
    text = webhook(tmp_path, "scheme: none", "http://127.0.0.1:8400")
    assert text == (
        "URL http://127.0.0.1:8400/webhooks/appcues Sign-in none: the relay accepts events from this machine only"
    )


@pytest.mark.parametrize(
    ("license", "text"),
    [
        ("Salesforce Integration", "sign in as a user who can sign in with a browser"),
        ("Salesforce", "sign in as appcues@example.com; record type Contact"),
    ],
)
def test_the_connectors_wizard_names_a_user_who_can_sign_in_with_a_browser(
    tmp_path: Path, license: str, text: str
) -> None:
    """The wizard requires a sign-in with a browser, which users with the API-only license cannot do."""
    (tmp_path / "mappings").mkdir()
    settings = SETTINGS.format(url=PUBLIC, auth="scheme: path").replace("username:", f"license: {license}, username:")
    (tmp_path / "sfcode.yaml").write_text(settings)
    (tmp_path / "mappings" / "contact.yaml").write_text(CONTACT + "delivery: connector\n")
    (step,) = (line for line in next_steps(load(tmp_path)).splitlines() if "Step 1" in line)
    assert text in step


@pytest.mark.parametrize("delivery", ["connector", "relay"])
def test_lines_have_at_most_eighty_characters(tmp_path: Path, delivery: str) -> None:
    (tmp_path / "mappings").mkdir()
    settings = SETTINGS.format(url=PUBLIC, auth="scheme: path")
    (tmp_path / "sfcode.yaml").write_text(settings)
    (tmp_path / "mappings" / "contact.yaml").write_text(f"{CONTACT}delivery: {delivery}\n")
    lines = [*next_steps(load(tmp_path)).splitlines(), *MOVED.splitlines(), *ROLL_OUT.splitlines()]
    assert any(len(line) > WIDTH - 10 for line in lines)
    assert [line for line in lines if len(line) > WIDTH and "://" not in line] == []


def test_the_steps_say_that_a_new_consumer_key_takes_time_to_work(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    settings = SETTINGS.format(url=PUBLIC, auth="scheme: path").replace(
        "relay: {", "relay: {sign_in: {flow: client_credentials}, "
    )
    (tmp_path / "sfcode.yaml").write_text(settings)
    (tmp_path / "mappings" / "contact.yaml").write_text(CONTACT)
    assert "refused as invalid_client_id for up to 30 minutes" in next_steps(load(tmp_path))


def test_events_that_register_people_are_sent_too(tmp_path: Path) -> None:
    webhook(tmp_path, "scheme: path")
    (tmp_path / "recipes.yaml").write_text(
        "version: 1\nevent_registration:\n"
        "  - {when: {event: form_submitted}, campaign: {name: Spring}, status: Registered}\n"
        "  - {when: {event: click_to_track, name: [Joined]}, campaign: {name: Spring}, status: Attended}\n"
    )
    steps = next_steps(load(tmp_path))
    assert "Events  appcues:flow_completed, appcues:form_submitted\n" in steps
    assert "send these click-to-track events to this URL\n      Joined\n" in steps


def test_recipes_need_their_events_from_the_webhook_and_a_key_where_they_write_to_appcues(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "sfcode.yaml").write_text(SETTINGS.format(url=PUBLIC, auth="scheme: path"))
    (tmp_path / "mappings" / "contact.yaml").write_text(CONTACT)
    before = next_steps(load(tmp_path))
    assert "Events  appcues:flow_completed\n" in before
    assert "make a key for the relay" not in before
    rule = "{when: {event: checklist_completed}, set: {done: true}}"
    (tmp_path / "recipes.yaml").write_text(f"version: 1\nnps_history:\ngroup_progress: [{rule}]\n")
    after = " ".join(next_steps(load(tmp_path)).split())
    events = ("checklist_completed", "flow_completed", "nps_feedback", "nps_score", "nps_score_and_feedback")
    assert f"Events {', '.join(f'appcues:{name}' for name in events)} " in after
    assert "make a key for the relay" in after


def with_sign_in(**sign_in: str) -> dict[str, object]:
    return projects.settings(relay={"url": f"{PUBLIC}/", "sign_in": sign_in})


@pytest.mark.parametrize(
    ("project", "text"),
    [
        pytest.param(projects.project(), WITH_RELAY, id="relay"),
        pytest.param(
            projects.project(
                {"contact": WIZARD, "lead": {**LEAD, "delivery": "connector"}},
                projects.settings(viewers=["a@example.com"]),
            ),
            WITH_CONNECTOR,
            id="connector and viewers",
        ),
        pytest.param(
            projects.project({"account": ACCOUNT}, with_sign_in(flow="client_credentials")),
            WITH_GROUPS,
            id="groups, clicks and a sign-in with a secret",
        ),
        pytest.param(
            projects.project({"lead": LEAD}, with_sign_in(flow="jwt", certificate=CERTIFICATE)),
            WITH_JWT,
            id="one direction and a sign-in with a key",
        ),
    ],
)
def test_the_manual_steps_of_a_project(project: Project, text: str) -> None:
    assert next_steps(project) == text
    assert [line for line in text.splitlines() if len(line) > WIDTH and "://" not in line] == []


def test_each_step_is_stored_separately() -> None:
    """An apply prints a step again only if this step has changed."""
    steps = [(step.section, step.text.split("\n")[0].strip()) for step in list_steps(projects.project())]
    assert steps == [
        ("Left to do in Appcues:", "- Settings, Webhooks: create a webhook"),
        ("Left to do in Appcues:", "- Settings, API keys: make a key for the relay (account 1, us)"),
        ("Left to do in Appcues:", "- Installation: the ID in Appcues.identify(USER_ID)"),
        ("Left to do in Salesforce:", "- Give people access to the new fields, which nobody can read yet,"),
        ("", "Then run the relay: sfcode --env local relay serve"),
    ]


def test_a_wizard_without_attributes_sends_none() -> None:
    project = projects.project({"account": {**ACCOUNT, "match": "user", "delivery": "connector"}})
    assert "      Step 3  match on Key__c; send none\n" in next_steps(project)
