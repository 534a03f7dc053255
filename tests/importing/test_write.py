"""The files that an import writes can be loaded unchanged, whatever names an org has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sfcode.config import load
from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.importing.answers import ImportOptions
from sfcode.importing.decide import propose_config
from sfcode.importing.write import quote_scalar, render_files
from sfcode.metadata.objects import standard
from tests.importing.scans import ROBOT, fields, grants, make_scan, message

ORG = "alias:prod"


def write_files(folder: Path, scan, **options):
    texts = render_files(scan, propose_config(scan, ImportOptions(**options)), ImportOptions(org=ORG, **options))
    for name, text in texts.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return texts


def test_the_written_project_generates_the_found_components(tmp_path):
    write_files(tmp_path, make_scan())
    project = load(tmp_path / "config")
    settings = project.settings
    assert (project.environment, project.target.org, project.target.protected) == ("production", ORG, True)
    assert (settings.integration_user.username, settings.integration_user.email) == (ROBOT.username, ROBOT.email)
    assert settings.as_is == ("CustomField:Contact.Appcues_Id__c", "PermissionSet:Appcues_Access")
    (mapping,) = project.mappings
    assert mapping.spec.delivery == "connector"
    assert mapping.spec.replaces[0].startswith("WorkflowRule:Contact.AppcuesOn")
    assert {str(component.address) for component in generate(project, standard()).components} == {*settings.as_is}


def test_the_files_of_an_org_set_up_by_the_help_page(tmp_path):
    assert write_files(tmp_path, make_scan(), identity="appcues_1f2e") == {
        "sfcode.yaml": """\
# yaml-language-server: $schema=.schema/sfcode.json

# Read by `sfcode import` from Northwind Traders (00D000000000001EAA), where the integration was set
# up by hand. An apply of this config adopts the existing components unchanged.
version: 1
name: Appcues
# Identifies the project's state in an org, also after a change of the name. Every project has its own.
id: appcues_1f2e

# The existing integration user.
integration_user:
  username: ${integration_username}
  last_name: Appcues
  email: ${integration_email}
  license: Salesforce Integration
  profile: Salesforce API Only System Integrations
  permission_set_license: SalesforceAPIIntegrationPsl
  permission_set: Appcues_Access
  access: documented # the permissions of Appcues' help page; least_privilege grants the mapped fields only

# Adopted unchanged. Remove a line, and the next plan shows each change of the component; nothing
# changes before.
as_is:
  - CustomField:Contact.Appcues_Id__c
  - PermissionSet:Appcues_Access

# Not stored in Salesforce, and needed before `delivery: relay`.
appcues:
  account_id: ${appcues_account}
  region: us
relay:
  url: ${relay_url}

environments:
  production:
    org: alias:prod
    protected: true # apply requires a saved plan
    variables:
      integration_username: appcues@northwind.example
      integration_email: it@northwind.example
      appcues_account: "FILL_IN" # to fill in: from the account page of Appcues Studio
      relay_url: "https://fill-in.invalid" # to fill in: the public address of your relay
""",
        "mappings/contact.yaml": """\
# yaml-language-server: $schema=../.schema/mapping.json

object: Contact
match: user
direction: both

# Today Appcues' own connector delivers the data. `relay` moves it to the relay of this project, in one apply.
delivery: connector

# The components that send today. They are kept with delivery: connector, and deleted by the apply with delivery: relay.
replaces:
  - WorkflowRule:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj
  - WorkflowOutboundMessage:Contact.AppcuesOnContactCreateUpdate_Z1AzRYj

# A formula: TEXT(Product_User_Id__c)
user_id:
  field: Appcues_Id__c
  from: Product_User_Id__c

# Appcues attribute: Salesforce field; what Appcues_Access lets the integration user read; remove
# what must not be sent to Appcues. The names of the attributes are derived from the fields' names:
# compare them with Appcues Studio before `delivery: relay`.
to_appcues:
  attributes:
    title: Title

to_salesforce:
  # All events that the connector can write; which of these and of click-to-track events it writes is set in Appcues.
  activities: [nps_score, nps_feedback, flow_completed, checklist_item_completed, checklist_completed, goal_reached]
""",
    }


def test_the_files_of_an_org_that_only_receives(tmp_path):
    view_all = {"Account": {"allowRead": True, "viewAllRecords": True}}
    person = replace(ROBOT, profile="Custom: API", last_name="yes")
    scan = make_scan(
        messages=(),
        people=(person,),
        sets={"Appcues_Access": replace(grants(), body={"objectPermissions": view_all})},
        fields={"Account": fields(NPS_Score__c="double")},
        formulas={},
        is_sandbox=True,
    )
    options = {"identity": "appcues_1f2e", "account": "10001", "relay_url": "https://relay.example.com", "region": "eu"}
    assert write_files(tmp_path, scan, **options) == {
        "sfcode.yaml": """\
# yaml-language-server: $schema=.schema/sfcode.json

# Read by `sfcode import` from Northwind Traders (00D000000000001EAA), where the integration was set
# up by hand. An apply of this config adopts the existing components unchanged.
version: 1
name: Appcues
# Identifies the project's state in an org, also after a change of the name. Every project has its own.
id: appcues_1f2e

# The existing integration user.
integration_user:
  username: ${integration_username}
  last_name: "yes"
  email: ${integration_email}
  license: Salesforce Integration
  profile: "Custom: API"
  permission_set_license: SalesforceAPIIntegrationPsl
  # The profile allows more than the API; the integration has its permissions as well.
  accepted_rights: ["Profile:Custom: API"]
  permission_set: Appcues_Access
  access: least_privilege
  record_access: view_all

# Adopted unchanged. Remove a line, and the next plan shows each change of the component; nothing
# changes before.
as_is:
  - PermissionSet:Appcues_Access

# Not stored in Salesforce, and needed before `delivery: relay`.
appcues:
  account_id: ${appcues_account}
  region: eu
relay:
  url: ${relay_url}

environments:
  sandbox:
    org: alias:prod
    variables:
      integration_username: appcues@northwind.example
      integration_email: it@northwind.example
      appcues_account: "10001"
      relay_url: "https://relay.example.com"
""",
        "mappings/account.yaml": """\
# yaml-language-server: $schema=../.schema/mapping.json

object: Account
match: group
direction: to_salesforce

# Today Appcues' own connector delivers the data. `relay` moves it to the relay of this project, in one apply.
delivery: connector

user_id:
  field: Appcues_Id__c

to_salesforce:
  nps:
    score: NPS_Score__c
""",
    }


def test_a_new_user_in_an_environment_of_another_name(tmp_path):
    scan = make_scan(messages=(), people=(), sets={}, fields={"Contact": fields()})
    texts = write_files(
        tmp_path,
        scan,
        environment="staging",
        direction="to_appcues",
        attributes=(("role", "Title"),),
        objects=("Contact",),
    )
    lines = texts["sfcode.yaml"].splitlines()
    assert "# A new user: there was none for the integration." in lines
    assert not [
        line for line in lines if line.strip().startswith(("permission_set:", "record_access:", "accepted_rights:"))
    ]
    assert lines[lines.index("environments:") :][:4] == [
        "environments:",
        "  staging:",
        "    org: alias:prod",
        "    protected: true # apply requires a saved plan",
    ]
    assert "to_salesforce" not in texts["mappings/contact.yaml"]


def test_without_components_of_the_projects_names_nothing_is_adopted(tmp_path):
    scan = make_scan(people=(), sets={}, fields={"Contact": {"Key__c": fields(Key__c="string")["Key__c"]}}, formulas={})
    options = {"user_id": ("Key__c",), "attributes": (("key", "Key__c"),)}
    assert "as_is" not in write_files(tmp_path, scan, **options)["sfcode.yaml"]


def test_a_project_has_an_identity_that_its_name_does_not_change(tmp_path):
    for folder, options in (("one", {}), ("two", {}), ("three", {"identity": "team_a", "name": "Guides"})):
        write_files(tmp_path / folder, make_scan(), **options)
    first, second, third = (load(tmp_path / folder / "config").settings.id for folder in ("one", "two", "three"))
    assert first.startswith("appcues_")
    assert first != second, "each project has its own"
    assert third == "team_a"


def test_options_are_written_to_the_files(tmp_path):
    texts = write_files(
        tmp_path,
        make_scan(is_sandbox=True),
        name="Guides",
        account="10001",
        region="eu",
        relay_url="https://relay.example.com",
        attributes=(("job: title", "Title"),),
    )
    project = load(tmp_path / "config")
    assert (project.environment, project.target.protected) == ("sandbox", False)
    assert project.settings.appcues.account_id == "10001"
    assert project.settings.relay.url == "https://relay.example.com"
    assert list(project.mappings[0].spec.to_appcues.attributes) == ["job: title"]
    assert "fill" not in texts["sfcode.yaml"]


def test_placeholders_prevent_a_plan_with_the_relay(tmp_path):
    write_files(tmp_path, make_scan())
    path = tmp_path / "config" / "mappings" / "contact.yaml"
    path.write_text(path.read_text().replace("delivery: connector", "delivery: relay"))
    with pytest.raises(ConfigError) as wrong:
        generate(load(tmp_path / "config"), standard())
    assert [(problem.path, problem.message.partition(" ")[0]) for problem in wrong.value.problems] == [
        ("appcues.account_id", "FILL_IN"),
        ("relay.url", "https://fill-in.invalid"),
    ]


def test_one_direction_and_a_custom_object_are_written(tmp_path):
    sets = {"Appcues_Access": grants(object_name="Person__c")}
    kinds = {"Person__c": fields(NPS_Score__c="double", NPS_Feedback__c="textarea")}
    scan = make_scan(messages=(), sets=sets, fields=kinds, formulas={})
    write_files(tmp_path, scan)
    (mapping,) = load(tmp_path / "config").mappings
    assert (mapping.name, mapping.spec.direction, mapping.spec.to_appcues) == ("person", "to_salesforce", None)
    assert mapping.spec.to_salesforce.nps.score.field == "NPS_Score__c"


def test_names_from_an_org_are_never_read_as_yaml(tmp_path):
    odd = replace(ROBOT, last_name="yes: #1 ${x} \"q\" 'o' - b: *c", profile="true")
    rule = message("Send: #1")
    write_files(tmp_path, make_scan(people=(odd,), messages=(rule,)))
    project = load(tmp_path / "config")
    assert project.settings.integration_user.last_name == odd.last_name
    assert project.settings.integration_user.profile == "true"
    assert project.mappings[0].spec.replaces[1] == "WorkflowOutboundMessage:Contact.Send: #1"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_so_that_yaml_parses_it_back(text):
    assert yaml.safe_load(f"key: {quote_scalar(text)}") == {"key": text.replace("${", "$${")}


def test_characters_that_yaml_does_not_allow_are_escaped_in_comments_too(tmp_path):
    scan = make_scan()
    target = replace(scan.target, name="Acme \x1b[2J\u009b31m\x7f\nversion: 2")
    formulas = {name: replace(parsed, text="TEXT(A__c) \x08\x9b") for name, parsed in scan.formulas.items()}
    texts = write_files(tmp_path, replace(scan, target=target, formulas=formulas))
    assert "\\x1b[2J\\x9b31m\\x7f version: 2" in texts["sfcode.yaml"]
    assert load(tmp_path / "config").settings.version == 1
