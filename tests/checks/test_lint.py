"""Every rule reports its findings at their lines, and nothing in similar projects without the fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sfcode.checks.lint import lint
from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.personal_data import STANDARD
from sfcode.checks.rules import LINT_RULES, PLAN_RULES
from sfcode.config.files import shipped_templates
from sfcode.diagnostics import Diagnostic, Level
from sfcode.metadata.objects import standard
from tests.review.projects import FILES, Edit, Files, edited, load_snapshot, reviewed, write

TEMPLATES = "templates/metadata/"
TOKEN = "00D000000000001!" + "AQ4AQ" * 6


@dataclass(frozen=True)
class Case:
    """A project with the expected findings of a rule, and a similar project without findings."""

    rule: str
    lines: list[str]
    bad: Files
    good: Files = field(default_factory=lambda: FILES)


def template(type_: str, old: str, new: str) -> dict[str, str]:
    """Give the project its own template: sfcode's template with one text replaced."""
    name = f"{type_}.xml.j2"
    text = (shipped_templates() / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    return {**FILES, TEMPLATES + name: text.replace(old, new)}


def config(*edits: Edit, **more: str) -> dict[str, str]:
    return {**edited(FILES, *edits), **{f"config/{name}.yaml": text for name, text in more.items()}}


def find_by_rule(root: Path, files: Mapping[str, str], rule: str) -> list[Diagnostic]:
    return [finding for finding in lint(load_snapshot(root, files)) if finding.rule == rule]


MESSAGE, FLOW, RULE, SET, FIELD = "WorkflowOutboundMessage", "Flow", "WorkflowRule", "PermissionSet", "CustomField"
EACH_FIELD = "{% for name in message.fields %}"
ONE_GRANT = "{% for permission in permission_set.fields %}"
WITH_RULE: Edit = ("contact", "to_appcues:\n", "to_appcues:\n  trigger: workflow_rule\n")
LEAD_FIRST = "config/mappings/lead.yaml"
CONTACT_FIRST = "config/mappings/contact.yaml"


def dropped(name: str) -> dict[str, str]:
    return template(MESSAGE, EACH_FIELD, EACH_FIELD.replace(" %}", f" if name != '{name}' %}}"))


def granted(condition: str) -> dict[str, str]:
    return template(SET, ONE_GRANT, ONE_GRANT.replace(" %}", f" if {condition} %}}"))


CLICK_TEXT = "version: 1\nactivities:\n  click_to_track: {subject: Click, comment: x}\n"
NO_FEEDBACK = "version: 1\nproperties: {nps_feedback: {}, nps_score_and_feedback: {score: score}}\n"
FEEDBACK: Edit = ("contact", "create: true}\n", "create: true}\n    feedback: {field: Said__c, create: true}\n")
CONNECTED = """\
object: Account
match: group
delivery: connector
direction: to_salesforce
user_id: Appcues_Id__c
to_salesforce:
  nps: {feedback: Said__c}
  activities: [goal_reached]
  click_to_track: [Clicked]
"""
ONLY_SENDS = """\
object: Contact
direction: to_appcues
user_id: {field: Appcues_User_Id__c, from: Product_User_Id__c}
to_appcues:
  attributes:
    plan: Plan__c
"""


CASES = [
    Case(
        "SF002",
        ["config/sfcode.yaml:3:27: salesforce.api_version: newer than 63.0, the version whose schema sfcode checks packages against"],
        config(("settings", "name: Appcues\n", 'name: Appcues\nsalesforce: {api_version: "64.0"}\n')),
    ),
    Case(
        "SF101",
        [f"{CONTACT_FIRST}:5:5: to_appcues.attributes.role: Contact.Title is sent as role, but the outbound message does not contain it"],
        dropped("Title"),
    ),
    Case(
        "SF102",
        [
            f"{file}:3:1: to_appcues: the outbound message lacks SystemModstamp, which the relay needs to order messages"
            for file in (CONTACT_FIRST, LEAD_FIRST)
        ],
        dropped("SystemModstamp"),
        dropped("Nothing"),
    ),
    Case(
        "SF103",
        [f"{CONTACT_FIRST}:5:5: a change of Contact.Title sends nothing: the entry condition does not contain it"],
        template(FLOW, "{{ flow.condition }}", "{{ flow.condition | replace('ISCHANGED({!$Record.Title})', 'FALSE') }}"),
        template(FLOW, "<filterFormula>{{ flow.condition }}</filterFormula>", ""),  # every save sends a message
    ),
    Case(
        "SF103",
        [f"{CONTACT_FIRST}:6:5: a change of Contact.Title sends nothing: the entry condition does not contain it"],
        {
            **template(RULE, "{{ rule.condition }}", "{{ rule.condition | replace('ISCHANGED(Title)', '\"Title\" = \"x\"') }}"),
            **edited({CONTACT_FIRST: FILES[CONTACT_FIRST]}, WITH_RULE),
        },
        config(WITH_RULE),
    ),
    Case(
        "SF104",
        [
            (f"{CONTACT_FIRST}:5:5: to_appcues.attributes.role: the integration user cannot read Contact.Title: Salesforce "
            "leaves it out of the message without an error")
        ],
        granted("permission.field != 'Contact.Title'"),
    ),
    Case(
        "SF105",
        [
            (f"{CONTACT_FIRST}:9:13: to_salesforce.nps.score: the integration user cannot change "
            "Contact.Appcues_NPS_Score__c, which stores the NPS score"),
            (f"{CONTACT_FIRST}:10:3: to_salesforce.activities: the integration user lacks Event.Description, without which "
            "it cannot write activities as the relay does"),
        ],
        granted("permission.field not in ('Contact.Appcues_NPS_Score__c', 'Event.Description')"),
    ),
    Case(
        "SF106",
        [
            f"{file}:3:1: to_appcues: the outbound message does not reach this mapping in the relay: its address is not "
            "the one that the relay expects"
            for file in (CONTACT_FIRST, LEAD_FIRST)
        ],
        template(MESSAGE, "{{ message.endpoint_url }}", "https://other.example.com/"),
    ),
    Case(
        "SF106",
        [
            f"{file}:3:1: to_appcues: the outbound message does not reach this mapping in the relay: its version (?v=) is "
            "not the one that the relay expects"
            for file in (CONTACT_FIRST, LEAD_FIRST)
        ],
        template(MESSAGE, "{{ message.endpoint_url }}", "{{ message.endpoint_url.partition('?')[0] }}"),
    ),
    Case(
        "SF106",
        [
            f"{file}:3:1: to_appcues: the outbound message is sent as another user than the integration user, whose field "
            "access determines its fields"
            for file in (CONTACT_FIRST, LEAD_FIRST)
        ],
        template(MESSAGE, "{{ message.integration_user }}", "admin@example.com"),
    ),
    Case(
        "SF107",
        [
            f"{file}:3:1: to_appcues.trigger: the flow is not active, so nothing sends the outbound message"
            for file in (CONTACT_FIRST, LEAD_FIRST)
        ],
        template(FLOW, "<status>Active</status>", "<status>Draft</status>"),
    ),
    Case(
        "SF107",
        [
            f"{CONTACT_FIRST}:3:1: to_appcues.trigger: the flow does not send the outbound message Contact.Appcues_contact",
            f"{LEAD_FIRST}:3:1: to_appcues.trigger: the flow does not send the outbound message Lead.Appcues_lead",
        ],
        template(FLOW, "<actionName>{{ flow.message }}", "<actionName>Contact.Old"),
    ),
    Case(
        "SF107",
        [
            f"{file}:3:1: to_appcues.trigger: the flow does not start after a {name} is saved"
            for file, name in ((CONTACT_FIRST, "Contact"), (LEAD_FIRST, "Lead"))
        ],
        template(FLOW, "RecordAfterSave", "RecordBeforeSave"),
    ),
    Case(
        "SF107",
        [
            f"{CONTACT_FIRST}:4:3: to_appcues.trigger: the workflow rule is not active, so nothing sends the outbound message",
            f"{CONTACT_FIRST}:4:3: to_appcues.trigger: the workflow rule does not send the outbound message Contact.Appcues_contact",
        ],
        {
            **template(RULE, "<active>true", "<active>false"),
            **edited({CONTACT_FIRST: FILES[CONTACT_FIRST]}, WITH_RULE),
        }
        | {
            TEMPLATES + "WorkflowRule.xml.j2": template(RULE, "<active>true", "<active>false")[
                TEMPLATES + "WorkflowRule.xml.j2"
            ].replace("<name>{{ rule.message }}", "<name>Other")
        },
        config(WITH_RULE),
    ),
    Case(
        "SF108",
        [
            f"{file}:2:11: user_id.field: {name}.Appcues_User_Id__c is not Product_User_Id__c as text, blank where that is blank"
            for file, name in ((CONTACT_FIRST, "Contact"), (LEAD_FIRST, "Lead"))
        ],
        template(FIELD, ">BlankAsBlank<", ">BlankAsZero<"),
    ),
    Case(
        "SF108",
        [
            (f"{CONTACT_FIRST}:10:3: to_salesforce.activities: Activity.Appcues_Event_Id__c is not a unique external ID, so "
            "the relay would write activities twice")
        ],
        template(FIELD, "<unique>true", "<unique>false"),
    ),
    Case(
        "SF108",
        [
            f"{file}:{line}:13: to_salesforce.nps.score: {name}.Appcues_NPS_Score__c cannot hold the NPS score: it must be a Number field"
            for file, name, line in ((CONTACT_FIRST, "Contact", 9), (LEAD_FIRST, "Lead", 8))
        ],
        template(
            FIELD,
            "<precision>2</precision>\n    <required>false</required>\n    <scale>0</scale>\n    <type>Number</type>\n    <unique>false</unique>",
            "<length>10</length><type>Text</type>",
        ),
    ),
    Case(
        "SF109",
        [
            (f"{LEAD_FIRST}:5:5: to_appcues.attributes.plan: plan is sent as number from Lead.NumberOfEmployees, and as "
            "string from Contact.Department: Appcues cannot compare them")
        ],
        config(("contact", "plan: Plan__c", "plan: Department"), ("lead", "plan: Plan__c", "plan: NumberOfEmployees")),
        config(("contact", "plan: Plan__c", "plan: Department"), ("lead", "plan: Plan__c", "plan: Industry")),
    ),
    Case(
        "SF110",
        [
            f"{TEMPLATES}{MESSAGE}.xml.j2:8:5: the outbound message sends {name}.Phone, which no mapping "
            "contains"
            for name in ("Contact", "Lead")
        ],
        template(MESSAGE, "{% for name in message.fields %}\n", "    <fields>Phone</fields>\n{% for name in message.fields %}\n"),
    ),
    Case(
        "SF201",
        [
            f"config/sfcode.yaml:6:3: integration_user.record_access: the integration user has {right} on {name}: it can access every record, regardless of the owner"
            for name, right in (("Contact", "View All"), ("Lead", "View All"))
        ],
        config(("settings", "admin@example.com\n", "admin@example.com\n  record_access: view_all\n")),
    ),
    Case(
        "SF201",
        [
            f"{TEMPLATES}PermissionSet.xml.j2:22:9: the integration user has Modify All on {name}: it can access every record, regardless of the owner"
            for name in ("Contact", "Lead")
        ],
        template(SET, "<modifyAllRecords>{{ permission.modify_all | lower }}", "<modifyAllRecords>true"),
    ),
    Case(
        "SF202",
        ["config/sfcode.yaml:6:3: integration_user.access: the integration user may create, change and delete every record of the mapped objects"],
        config(("settings", "admin@example.com\n", "admin@example.com\n  access: documented\n")),
    ),
    Case(
        "SF203",
        [
            f"{CONTACT_FIRST}:5:5: to_appcues.attributes.mail: Contact.Email is personal data and is sent to Appcues",
            f"{CONTACT_FIRST}:6:5: to_appcues.attributes.badge: Contact.Badge__c is personal data and is sent to Appcues",
        ],
        config(
            ("contact", "    role: Title\n", "    mail: Email\n    badge: Badge__c\n    phone: Phone\n"),
            ("settings", "version: 1\n", "version: 1\nreview: {personal_data: {fields: [badge__c], accepted: [Contact.Phone]}}\n"),
        ),
        config(
            ("contact", "    role: Title\n", "    mail: Email\n    phone: Phone\n"),
            ("settings", "version: 1\n", "version: 1\nreview: {personal_data: {accepted: [contact.email, Phone]}}\n"),
        ),
    ),
    Case(
        "SF204",
        [
            (f"{LEAD_FIRST}:5:5: to_appcues.attributes.plan_name: the attribute plan_name is spelled planName at {CONTACT_FIRST}:6:5: "
            "Appcues stores two, and displays them alike"),
            (f"{CONTACT_FIRST}:11:37: to_salesforce.click_to_track.1: the click-to-track event clicked upgrade is spelled Clicked "
            f"Upgrade at {CONTACT_FIRST}:11:20: Appcues stores two, and displays them alike"),
        ],
        config(
            ("contact", "plan: Plan__c", "planName: Plan__c"),
            ("lead", "plan: Plan__c", "plan_name: Plan__c"),
            ("contact", "[Clicked Upgrade]", "[Clicked Upgrade, clicked upgrade]"),
        ),
    ),
    Case(
        "SF205",
        [
            (f"{CONTACT_FIRST}:11:20: to_salesforce.click_to_track.0: Flow Completed is the name of an event of Appcues itself, which "
            "is never a click-to-track event")
        ],
        config(("contact", "[Clicked Upgrade]", "[Flow Completed]")),
    ),
    Case(
        "SF206",
        [
            f"{CONTACT_FIRST}:4:12: to_appcues.trigger: Salesforce ended support for workflow rules on 2025-12-31, and may refuse new ones"
        ],
        config(WITH_RULE),
    ),
    Case(
        "SF207",
        [
            ("config/sfcode.yaml:6:12: integration_user.profile: Salesforce replaced the profile Salesforce API Only System "
            "Integrations, which new orgs do not have")
        ],
        config(("settings", "admin@example.com\n", "admin@example.com\n  profile: Salesforce API Only System Integrations\n")),
    ),
    Case(
        "SF214",
        [
            ("config/sfcode.yaml:6:3: integration_user.license: the license Salesforce lets the integration user do more than "
            "use the API with the rights of its permission set"),
            ("config/sfcode.yaml:7:3: integration_user.profile: the profile Standard User lets the integration user do more "
            "than use the API with the rights of its permission set"),
        ],
        config(("settings", "admin@example.com\n", "admin@example.com\n  license: Salesforce\n  profile: Standard User\n")),
        config(
            (
                "settings",
                "admin@example.com\n",
                ("admin@example.com\n  license: Salesforce\n  profile: Standard User\n"
                '  accepted_rights: ["UserLicense:Salesforce", "Profile:Standard User"]\n'),
            )
        ),
    ),
    Case(
        "SF215",
        [
            ("config/recipes.yaml:2:1: completed_flows: counts records of Event, which Salesforce archives out of reports 365 "
            "days after their end")
        ],
        {**FILES, "config/recipes.yaml": "version: 1\ncompleted_flows:\n"},
        {
            **config(("settings", "url: https://relay.example.com", "url: https://relay.example.com\n  activities_as: custom_object")),
            "config/recipes.yaml": "version: 1\ncompleted_flows:\n",
        },
    ),
    Case(
        "SF208",
        [f"{TEMPLATES}{MESSAGE}.xml.j2:11:5: the template asks for session IDs, which Salesforce no longer puts into outbound messages"] * 2,
        template(MESSAGE, "<includeSessionId>false", "<includeSessionId>true"),
    ),
    Case(
        "SF209",
        ["config/sfcode.yaml:1:3: this looks like a Salesforce session ID"],
        config(("settings", "version: 1\n", f"# {TOKEN}\nversion: 1\n")),
    ),
    Case(
        "SF213",
        ["config/sfcode.yaml:13:17: environments.prod.variables.api_token: the variable api_token has the name of a secret, and its value is in this file"],
        config(("settings", "env:PROD\n", "env:PROD\n    variables: {api_token: abc}\n")),
        config(("settings", "env:PROD\n", "env:PROD\n    variables: {api_token: '${secret:TOKEN}'}\n")),
    ),
    Case(
        "SF210",
        ["config/sfcode.yaml:13:17: environments.prod.variables.unused: the variable unused is never used"],
        config(("settings", "env:PROD\n", "env:PROD\n    variables: {unused: x}\n")),
        config(("settings", "env:PROD\n", "env:PROD\n    variables: {used: Appcues}\n"), ("settings", "name: Appcues", "name: ${used}")),
    ),
    Case(
        "SF210",
        ["config/sfcode.yaml:13:17: environments.prod.variables.unused: the variable unused is never used"],
        # No variable is replaced in a template.
        template(MESSAGE, "<includeSessionId>false", "<!-- ${unused} --><includeSessionId>false")
        | config(("settings", "env:PROD\n", "env:PROD\n    variables: {unused: x}\n")),
    ),
    Case(
        "SF210",
        ["config/events.yaml:3:3: the text of goal_reached is never used: no mapping lists it under activities"],
        config(events="version: 1\nactivities:\n  goal_reached: {subject: Goal, comment: x}\n"),
        config(events="version: 1\nactivities:\n  flow_completed: {subject: Flow, comment: x}\n"),
    ),
    Case(
        "SF210",
        ["config/events.yaml:4:3: the text of goal_reached is never used: no mapping lists it under activities"],
        # The connector has texts of its own, and a mapping may have the name of a file.
        {
            **config(events="version: 1\nactivities:\n\n  goal_reached: {subject: Goal, comment: x}\n"),
            "config/mappings/events.yaml": CONNECTED,
        },
    ),
    Case(
        "SF210",
        ["config/events.yaml:3:3: the text of click_to_track is never used: no mapping lists it under activities"],
        config(("contact", "  click_to_track: [Clicked Upgrade]\n", ""), events=CLICK_TEXT),
        config(events=CLICK_TEXT),
    ),
    Case(
        "SF210",
        ["config/events.yaml:3:3: the text of click_to_track is never used: no mapping lists it under activities"],
        {**config(events=CLICK_TEXT), CONTACT_FIRST: ONLY_SENDS},
    ),
    Case(
        "SF211",
        [f"{CONTACT_FIRST}:10:16: to_salesforce.nps.feedback: no event fills Contact.Said__c: events.yaml has no event with the NPS feedback"],
        config(FEEDBACK, events=NO_FEEDBACK),
        config(FEEDBACK),
    ),
    Case(
        "SF211",
        [f"{CONTACT_FIRST}:10:16: to_salesforce.nps.feedback: no event fills Contact.Said__c: events.yaml has no event with the NPS feedback"],
        config(FEEDBACK, events=NO_FEEDBACK),
        # The connector does not read events.yaml.
        {**FILES, "config/mappings/account.yaml": CONNECTED, "config/events.yaml": NO_FEEDBACK},
    ),
    Case(
        "SF212",
        [
            (f"{TEMPLATES}PermissionSet.xml.j2:27:18: the project's own template grants the integration user the permission "
            "ViewSetup, which no mapping needs")
        ],
        template(SET, "{% for name in permission_set.user_permissions %}", "{% for name in ['ViewSetup'] + permission_set.user_permissions | list %}"),
        granted("true"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_reports_its_line_and_nothing_elsewhere(case: Case, tmp_path: Path) -> None:
    bad = find_by_rule(tmp_path / "bad", case.bad, case.rule)
    assert [str(finding).partition("; ")[0] for finding in bad] == case.lines
    assert all(finding.hint and finding.level is LINT_RULES[case.rule].level for finding in bad)
    assert find_by_rule(tmp_path / "good", case.good, case.rule) == []


def test_a_value_that_is_no_nps_answer_needs_no_event_in_events_yaml(tmp_path: Path) -> None:
    snapshot = load_snapshot(tmp_path, config(FEEDBACK, events=NO_FEEDBACK))
    (mapping, *_) = (mapping for mapping in snapshot.project.resolved if mapping.object == "Contact")
    other = mapping.targets[1].value._replace(path=("last_flow",))
    vars(snapshot.project)["resolved"] = (replace(mapping, targets=(replace(mapping.targets[1], value=other),)),)
    assert [finding for finding in lint(snapshot) if finding.rule == "SF211"] == []


def test_every_rule_has_a_case_of_each_kind() -> None:
    """SF001 is the only exception: problems that the loader reports are tested with the reports."""
    assert {case.rule for case in CASES} == {*LINT_RULES} - {"SF001"}


def test_every_rule_is_documented_with_its_level_and_words(root: Path) -> None:
    page = (root / "docs" / "reference" / "lint-rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (SF\d+) \| `([a-z-]+)` \| (\w+) \| ([^|]+) \|", page, re.MULTILINE)
    assert [(id_, name, level, says.strip()) for id_, name, level, says in rows] == [
        (rule.id, rule.name, rule.level.word, rule.says) for rule in (LINT_RULES | PLAN_RULES).values()
    ]


OF_TEMPLATES = [
    case for case in CASES if case.rule.startswith("SF1") and any(name.startswith(TEMPLATES) for name in case.bad)
]


@pytest.mark.parametrize("case", OF_TEMPLATES, ids=lambda case: f"{case.rule} {case.lines[0][-50:]}")
def test_a_finding_caused_by_a_template_is_at_the_line_of_the_template(tmp_path: Path, case: Case) -> None:
    own = {name for name in case.bad if name.startswith(TEMPLATES)}
    for finding in find_by_rule(tmp_path, case.bad, case.rule):
        places = (finding.position, finding.related)
        assert [place for place in places if place and place.file in own], str(finding)


def test_a_template_that_drops_a_field_is_named_with_the_mapping_line(tmp_path: Path) -> None:
    [finding] = find_by_rule(tmp_path, dropped("Title"), "SF101")
    assert str(finding.related) == f"{TEMPLATES}{MESSAGE}.xml.j2:9:5"


def test_a_project_without_faults_has_no_findings(tmp_path: Path) -> None:
    assert list(lint(load_snapshot(tmp_path, FILES))) == []


def test_the_shipped_example_has_no_findings_but_its_personal_data(root: Path, tmp_path: Path) -> None:
    files = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in [*(root / "config").glob("*.yaml"), *(root / "config").glob("mappings/*.yaml")]
    }
    rules = {finding.rule for finding in lint(load_snapshot(tmp_path, files, "production"))}
    assert rules == {"SF203"}


def test_mappings_of_the_connector_need_no_delivery_chain(tmp_path: Path) -> None:
    files = config(
        *(
            (name, f"object: {object_}\n", f"object: {object_}\ndelivery: connector\n")
            for name, object_ in (("contact", "Contact"), ("lead", "Lead"))
        )
    )
    assert {finding.rule for finding in lint(load_snapshot(tmp_path, files))} == {"SF002"}


def test_only_findings_of_the_change_are_new(tmp_path: Path) -> None:
    """A finding that moved to another line is an old one."""
    before = config(("contact", "role: Title", "mail: Email"))
    after = config(("contact", "    role: Title\n", "    phone: Phone\n    mail: Email\n"))
    review = reviewed(tmp_path, before, after)
    assert [(finding.path, finding not in review.older) for finding in review.findings] == [
        ("to_appcues.attributes.phone", True),
        ("to_appcues.attributes.mail", False),
    ]
    assert [finding.path for finding in review.news] == ["to_appcues.attributes.phone"]


def test_errors_of_the_base_are_shown_too(tmp_path: Path) -> None:
    files = dropped("Title")
    assert [finding.rule for finding in reviewed(tmp_path, files, files).news if finding.level is Level.ERROR] == [
        "SF101"
    ]


def test_every_standard_field_that_names_or_reaches_a_person_is_personal() -> None:
    """The shipped list contains all fields that their type marks as personal."""
    for name in ("Contact", "Lead"):
        reported_fields = {
            field.name
            for field in standard().objects[name].fields.values()
            if field.type in ("email", "phone") or field.compound == "Name" or field.compound.endswith("Address")
        }
        general = {field for field in reported_fields if field.endswith("GeocodeAccuracy")} | {"Salutation"}
        assert reported_fields - general <= STANDARD[name]


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "force://PlatformCLI::5Aep861abc@example.my.salesforce.com",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "ghp_" + "a1B2" * 9,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
        "https://user:hunter2@example.com",
    ],
)
def test_a_text_like_a_secret_is_found_and_not_repeated(secret: str, tmp_path: Path) -> None:
    files = config(("contact", "object: Contact\n", f"object: Contact # {secret}\n"))
    [finding] = find_by_rule(tmp_path, files, "SF209")
    assert str(finding.position) == f"{CONTACT_FIRST}:1:19"
    assert secret not in str(finding)
    assert secret not in redact_secrets(f"before {secret} after")
    assert redact_secrets(f"before {secret} after").endswith(" after")


def test_a_placeholder_in_an_address_is_no_secret(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    assert redact_secrets("https://relay.example.com/outbound-messages/contact/${secret:X}?v=31aa1baa").startswith(
        "https://relay"
    )
