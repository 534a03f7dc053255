"""An org that was set up by hand is imported, adopted unchanged, and moved to the relay in one apply."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests

from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from sfcode.org import connect
from tests.checks.doctor.clinic import token
from tests.e2e.clicked import FIELD, PAIR, SET, USER, Clicked, assign_to, click, new_user, pair, permission_set, rows
from tests.e2e.journey import SECRET
from tests.e2e.org import API, component, deploy, opened
from tests.local.automation.building import Control
from tests.local.conftest import Rest

LEFTOVERS = [part.address for part in pair()]
OURS = [Address("WorkflowOutboundMessage", "Contact.Appcues_contact"), Address("Flow", "Appcues_contact")]


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clicked") / "org"
    click(folder)
    return folder


@pytest.fixture
def clicked(tmp_path, state):
    """Return an org that was set up by the help page, without a config."""
    return Clicked.start(tmp_path, state)


@pytest.fixture(scope="module")
def adopted_folder(tmp_path_factory, state):
    project = Clicked.start(tmp_path_factory.mktemp("adopted") / "project", state)
    project.imported()
    assert project.journey.apply().code == 0
    return project.journey.folder


@pytest.fixture
def adopted(tmp_path, adopted_folder):
    """Return an org whose integration was imported and applied."""
    return Clicked.start(tmp_path, adopted_folder / ".sfcode" / "local-org").with_config(adopted_folder)


@pytest.fixture
def moved(adopted):
    """Return an org whose imported integration was moved to the relay."""
    adopted.move()
    result = adopted.journey.apply()
    assert result.code == 0, result.err
    return adopted


class TestTakingOver:
    def test_the_config_is_valid_and_its_plan_changes_nothing(self, clicked):
        result = clicked.journey.run("import")
        assert result.code == 0, result.err
        assert "An apply changes nothing in the org" in result.out
        assert "wrote config/sfcode.yaml\nwrote config/mappings/contact.yaml\n" in result.out
        assert clicked.journey.run("validate").code == 0
        plan = clicked.journey.plan()
        assert plan.last_line.startswith("No changes to make in Northwind Traders")
        assert clicked.journey.actions() == {}

    def test_an_import_changes_nothing_in_the_org(self, clicked):
        with clicked.org() as org:
            before = rows(org, "SELECT Id, LastModifiedDate FROM PermissionSet ORDER BY Id")
        clicked.imported()
        with clicked.org() as org:
            assert rows(org, "SELECT Id, LastModifiedDate FROM PermissionSet ORDER BY Id") == before
            assert component(org, Address("StaticResource", "Appcues_sfcode_state")) is None

    def test_the_first_apply_adopts_components_without_changing_them(self, clicked):
        addresses = [FIELD.address, Address("PermissionSet", SET), *LEFTOVERS]
        with clicked.org() as org:
            before = [component(org, address) for address in addresses]
        clicked.imported()
        applied = clicked.journey.apply()
        assert applied.code == 0, applied.err
        assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed." in applied.out
        assert "Left to do in Appcues" not in applied.out, "Appcues is connected already"
        with clicked.org() as org:
            assert [component(org, address) for address in addresses] == before
        assert clicked.journey.plan("--detailed-exitcode").code == 0

    def test_drift_of_adopted_components_is_reported(self, adopted):
        wider = permission_set()
        wider.body["userPermissions"]["ViewSetup"] = {"enabled": True}
        adopted.deploy(wider)
        result = adopted.journey.plan("--refresh-only", "--detailed-exitcode")
        assert result.code == 2
        assert "PermissionSet:Appcues_Access has changed" in result.out
        output = adopted.journey.plan().out
        assert "- ViewSetup = { enabled = true }" in output
        assert adopted.journey.apply().code == 0
        assert adopted.journey.actions() == {}

    def test_a_line_removed_from_as_is_shows_the_changes_and_keeps_label_and_description(self, adopted):
        adopted.journey.edit("sfcode.yaml", f"  - PermissionSet:{SET}\n", "")
        adopted.journey.edit("sfcode.yaml", "access: documented", "access: least_privilege")
        assert adopted.journey.actions() == {f"PermissionSet:{SET}": "update"}
        output = adopted.journey.plan().out
        assert "~ modifyAllRecords = true -> false" in output
        assert "label" not in output
        assert "description" not in output
        adopted.journey.edit("sfcode.yaml", "  - CustomField:Contact.Appcues_Id__c\n", "")
        adopted.journey.edit("sfcode.yaml", "as_is:\n", "")
        output = adopted.journey.plan().out
        assert (
            '"TEXT(Product_User_Id__c)" -> "IF(ISBLANK(Product_User_Id__c), \\"\\", TEXT(Product_User_Id__c))"'
            in output
        )
        assert adopted.journey.apply().code == 0
        assert adopted.journey.actions() == {}

    def test_as_is_in_an_org_without_the_component_creates_what_the_mappings_need(self, adopted, tmp_path):
        adopted.journey.edit("sfcode.yaml", "appcues@northwind.example", "appcues@elsewhere.example")
        with serve(tmp_path / "empty") as org:
            adopted.journey.environ = {**adopted.journey.environ, "SF_ACCESS_TOKEN": org.access_token}
            result = adopted.journey.run("--org", org.url, "apply", "--auto-approve")
            assert result.code == 0, result.err
            stored_component = component(org, FIELD.address)
        assert stored_component is not None
        assert str(stored_component.body["formula"]).startswith("IF(ISBLANK(")


class TestMoving:
    def test_the_move_to_the_relay_is_one_deployment_that_replaces_the_connectors_components(self, adopted):
        adopted.move()
        actions = adopted.journey.actions()
        assert {actions[str(address)] for address in LEFTOVERS} == {"delete"}
        assert {actions[str(address)] for address in OURS} == {"create"}
        assert actions[f"PermissionSet:{SET}"] == "update"
        output = adopted.journey.plan().out
        assert "# (because the relay replaces it)" in output
        assert "create no webhook in Appcues before its integration is deactivated there" in output
        result = adopted.journey.run("--json", "apply", "--auto-approve")
        assert len(result.json["result"]["deployments"]) == 1
        with adopted.org() as org:
            assert [component(org, address) for address in LEFTOVERS] == [None, None]
            assert all(component(org, address) for address in OURS)
        assert adopted.journey.plan("--detailed-exitcode").code == 0

    def test_a_refused_move_keeps_the_connectors_components(self, adopted):
        adopted.move()
        adopted.journey.edit("mappings/contact.yaml", "title: Title", "title: Title\n    gone: Nope__c")
        adopted.journey.edit("mappings/contact.yaml", "    gone: Nope__c", "    plan: Plan__c")
        template = adopted.journey.folder / "templates" / "metadata" / "Flow.xml.j2"
        template.parent.mkdir(parents=True)
        from sfcode.config.files import shipped_templates

        shipped = (shipped_templates() / template.name).read_text()
        template.write_text(shipped.replace("{{ flow.condition }}", "ISCHANGED({!$Record.Nope__c})"))
        assert adopted.journey.apply().code == 1
        with adopted.org() as org:
            assert all(component(org, address) for address in LEFTOVERS)
            assert not any(component(org, address) for address in OURS)

    def test_a_save_is_sent_once_before_and_after_the_move(self, adopted):
        def senders() -> list[str]:
            with adopted.org() as org, requests.Session() as session:
                rest = Rest(org, session=session)
                before = len(Control(rest).queue)
                (contact,) = rest.rows("SELECT Id, Title FROM Contact WHERE Email LIKE 'ana.%'")
                rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": f"{contact['Title']}!"})
                return [entry["action"] for entry in Control(rest).queue[before:]]

        assert senders() == [f"Contact.{PAIR}"]
        adopted.move()
        assert adopted.journey.apply().code == 0
        assert senders() == ["Contact.Appcues_contact"]

    def test_the_steps_after_the_move_prevent_duplicate_events(self, adopted):
        adopted.move()
        out = adopted.journey.apply().out
        steps = [
            "Apply complete!",
            "Check that the relay answers",
            "Deactivate Integration",
            "create the webhook",
            "URL ",
        ]
        assert sorted(steps, key=out.index) == steps
        assert "The relay has taken the place" not in adopted.journey.apply().out, "it has been said"

    def test_following_the_steps_writes_each_event_once(self, clicked):
        """Simulate both writers as the integration user: at each stage, each event of Appcues becomes one Event."""
        able = permission_set()
        able.body["userPermissions"].update(ActivitiesAccess={"enabled": True}, EditEvent={"enabled": True})
        clicked.deploy(able)  # rights that the help page omits, and without which no Event can be written
        clicked.imported()
        adopted, appcues = clicked, Appcues()
        assert adopted.journey.apply().code == 0
        appcues.happens(adopted, "before")
        with pytest.raises(AssertionError, match="NOT_FOUND"):
            Appcues(connector=False, webhook=True).happens(adopted, "a webhook too early")
        adopted.move()
        assert adopted.journey.apply().code == 0
        appcues.happens(adopted, "applied")
        appcues.connector = False
        appcues.webhook = True
        appcues.happens(adopted, "moved")
        appcues.happens(adopted, "moved")  # the webhook is delivered twice
        with adopted.org() as org:
            records = rows(org, "SELECT Subject FROM Event WHERE Subject LIKE 'Appcues %' ORDER BY Subject")
        assert [row["Subject"] for row in records] == ["Appcues applied", "Appcues before", "Appcues moved"]

    def test_a_message_and_rule_that_the_connector_creates_again_are_reported(self, moved):
        moved.deploy(*pair("AppcuesOnContactCreateUpdate_2uhD1C"))
        result = moved.journey.plan()
        assert "WorkflowOutboundMessage:Contact.AppcuesOnContactCreateUpdate_2uhD1C is another message" in result.out
        assert "`replaces` of mappings/contact.yaml" in result.out
        names = "  - WorkflowRule:Contact.X\n  - WorkflowOutboundMessage:Contact.X\n"
        names = names.replace("Contact.X", "Contact.AppcuesOnContactCreateUpdate_2uhD1C")
        moved.journey.edit("mappings/contact.yaml", "replaces:\n", f"replaces:\n{names}")
        assert set(moved.journey.actions().values()) == {"delete"}
        assert moved.journey.apply().code == 0
        assert "is another message" not in moved.journey.plan().out

    def test_a_permission_set_in_as_is_without_needed_rights_refuses_the_relay(self, adopted):
        adopted.move()
        adopted.journey.edit("sfcode.yaml", "as_is:\n", f"as_is:\n  - PermissionSet:{SET}\n")
        refused = adopted.journey.apply()
        assert refused.code == 1
        assert "PermissionSet:Appcues_Access is kept unchanged (as_is) and lacks" in refused.err
        assert "Event.Appcues_Event_Id__c (read, edit)" in refused.err

    def test_a_rollback_restores_the_connectors_message_and_rule(self, moved):
        result = moved.journey.run(
            "rollback", "--auto-approve", "--allow-delete", "CustomField:Activity.Appcues_Event_Id__c"
        )
        assert result.code == 0, result.err
        with moved.org() as org:
            assert all(component(org, address) for address in LEFTOVERS)
            assert not any(component(org, address) for address in OURS)

    def test_a_flow_created_by_hand_is_replaced_too(self, adopted):
        body = {
            "actionCalls": {
                "Send": {
                    "actionName": "Contact.Send_To_Appcues",
                    "actionType": "outboundMessage",
                    "flowTransactionModel": "CurrentTransaction",
                    "label": "Send",
                    "locationX": 0,
                    "locationY": 0,
                }
            },
            "apiVersion": "60.0",
            "label": "Send to Appcues",
            "processType": "AutoLaunchedFlow",
            "start": {
                "connector": {"targetReference": "Send"},
                "locationX": 0,
                "locationY": 0,
                "object": "Contact",
                "recordTriggerType": "CreateAndUpdate",
                "triggerType": "RecordAfterSave",
            },
            "status": "Active",
        }
        message, _ = pair("Send_To_Appcues", host="hooks.integrations.appcues.com/trigger/SW5zdGFuY2U")
        flow = Component("Flow", "Send_To_Appcues", body)
        adopted.deploy(message, flow)
        result = adopted.journey.run("--config", "other", "import", "--name", "Other")
        assert result.code == 0, result.err
        expected = "WorkflowOutboundMessage:Contact.Send_To_Appcues (made by hand), to hooks.integrations.appcues.com"
        assert expected in " ".join(result.out.split())
        adopted.move()
        adopted.journey.edit(
            "mappings/contact.yaml", "replaces:\n", f"replaces:\n  - {flow.address}\n  - {message.address}\n"
        )
        assert adopted.journey.apply().code == 0
        with adopted.org() as org:
            assert component(org, flow.address) is None
            assert component(org, message.address) is None
        assert adopted.journey.actions() == {}


class Appcues:
    """Both ways in which an event of Appcues becomes an Event: Appcues' connector, and a webhook to the relay."""

    def __init__(self, *, connector: bool = True, webhook: bool = False) -> None:
        self.connector = connector
        self.webhook = webhook

    def happens(self, clicked: Clicked, name: str) -> None:
        with clicked.org() as org, requests.Session() as session:
            (contact,) = rows(org, "SELECT Id FROM Contact WHERE Email LIKE 'ana.%'")
            session.headers["Authorization"] = f"Bearer {token(org, USER)}"
            event = {
                "Subject": f"Appcues {name}",
                "WhoId": contact["Id"],
                "StartDateTime": "2026-03-18T12:00:00Z",
                "DurationInMinutes": 0,
            }
            url = f"{org.url}/services/data/v{API}/sobjects/Event"
            if self.connector:
                answer = session.post(url, json=event)
                assert answer.ok, answer.text
            if self.webhook:
                answer = session.patch(f"{url}/Appcues_Event_Id__c/{name}", json=event)
                assert answer.ok, answer.text


def test_the_shipped_company_is_what_the_help_page_clicks(clicked):
    """Deploying the same components by hand, and creating the same user, changes nothing in the shipped company."""
    parts = (FIELD, permission_set(), *pair())
    with clicked.org() as org:
        before = [component(org, part.address) for part in parts]
        assert all(before)
        deploy(org, *parts)
        assert [component(org, part.address) for part in parts] == before
        assigned = "SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE Assignee.Username = 'appcues@northwind.example'"
        names = [
            row["PermissionSet"]["Name"] for row in rows(org, f"{assigned} AND PermissionSet.IsOwnedByProfile = false")
        ]
        assert names == [SET]
        licenses = "SELECT Assignee.Username, PermissionSetLicense.DeveloperName FROM PermissionSetLicenseAssign"
        (row,) = rows(org, licenses)
    assert (row["Assignee"]["Username"], row["PermissionSetLicense"]["DeveloperName"]) == (
        USER,
        "SalesforceAPIIntegrationPsl",
    )


class TestWrongInput:
    def test_import_without_an_org_is_refused(self, clicked):
        clicked.journey.environ = {}
        refused = clicked.journey.run("import")
        assert refused.code == 1
        assert "No org to import from was passed." in refused.err

    def test_import_from_an_org_without_an_integration_is_refused(self, tmp_path):
        with serve(tmp_path / "empty"):
            pass
        clicked = Clicked.start(tmp_path / "project", tmp_path / "empty")
        refused = clicked.journey.run("import")
        assert refused.code == 1
        assert "No integration with Appcues was found in Northwind Traders" in refused.err
        assert not (clicked.journey.folder / "config").exists()

    def test_open_questions_are_listed_and_options_answer_them(self, clicked):
        with clicked.org() as org:
            second_field = replace(FIELD, full_name="Contact.Appcues_Key__c")
            deploy(org, second_field, permission_set(readable=("Title", "Appcues_Id__c", "Appcues_Key__c")))
            with opened(org) as client:
                second = new_user(client, "appcues.two@northwind.example")
                assign_to(client, SET, second)
            deploy(org, *pair("AppcuesOnContactCreateUpdate_9z", user="appcues.two@northwind.example"))
        questions = clicked.journey.run("import")
        assert questions.code == 1
        assert "Northwind Traders leaves 2 questions open" in questions.err
        assert "--user appcues.two@northwind.example" in questions.err
        assert "--user-id-field Appcues_Id__c" in questions.err
        clicked.imported("--user", USER, "--user-id-field", "Contact.Appcues_Id__c")
        assert clicked.journey.actions() == {}

    @pytest.mark.parametrize("username", ["sam.seller@northwind.example", USER])
    def test_a_user_without_view_setup_is_refused(self, clicked, username):
        with clicked.org() as org:
            clicked.journey.environ = {"SF_ACCESS_TOKEN": token(org, username)}
            refused = clicked.journey.run("--org", org.url, "import")
        assert refused.code == 1
        assert f"{username} may not read the setup of Northwind Traders" in refused.err
        assert "such as an administrator" in refused.err

    def test_an_existing_config_is_kept_without_overwrite(self, clicked):
        clicked.imported()
        clicked.journey.edit("sfcode.yaml", "name: Appcues", "name: Mine")
        settings = clicked.journey.folder / "config" / "sfcode.yaml"
        identity = next(line for line in settings.read_text().splitlines() if line.startswith("id: "))
        refused = clicked.journey.run("import")
        assert refused.code == 1
        assert "A config already exists:\n  config/sfcode.yaml\n  config/mappings/contact.yaml" in refused.err
        result = clicked.journey.run("import", "--dry-run")
        assert "--- config/sfcode.yaml\n# yaml-language-server" in result.out
        assert "name: Mine" in settings.read_text()
        (clicked.journey.folder / "config" / "mappings" / "lead.yaml").write_text("object: Lead\n")
        second_result = clicked.journey.run("import", "--overwrite")
        assert "kept  config/mappings/lead.yaml, which already existed" in second_result.out
        assert "name: Appcues" in settings.read_text()
        assert identity in settings.read_text().splitlines(), "what was applied of it stays its own"

    def test_the_plan_of_an_import_includes_the_files_that_stay(self, clicked):
        """The config that results is planned, so that its first apply changes what the import has shown."""
        mapping = clicked.journey.folder / "config" / "mappings" / "lead.yaml"
        mapping.parent.mkdir(parents=True)
        mapping.write_text(
            "object: Lead\ndirection: to_appcues\ndelivery: connector\nto_appcues: {attributes: {title: Title}}\n"
            "user_id: {field: Appcues_User_Id__c, from: Product_User_Id__c}\n"
        )
        result = clicked.journey.run("import", "--overwrite")
        assert (result.code, "CustomField:Lead.Appcues_User_Id__c" in result.out) == (0, True), result.out + result.err
        assert "CustomField:Lead.Appcues_User_Id__c" in clicked.journey.actions()

    def test_a_managed_org_is_not_imported_again(self, adopted):
        refused = adopted.journey.run("--config", "other", "import")
        assert refused.code == 1
        assert (
            "sfcode manages Northwind Traders already as Appcues: admin@northwind.example applied it on" in refused.err
        )

    def test_an_attribute_option_without_a_field_is_refused(self, clicked):
        refused = clicked.journey.run("import", "--attribute", "Title")
        assert refused.code == 1
        assert "write it like role=Title" in refused.err

    def test_a_choice_that_cannot_be_applied_is_refused_and_nothing_is_written(self, clicked):
        refused = clicked.journey.run("import", "--attribute", "address=MailingAddress")
        assert refused.code == 1
        assert "has problems; nothing was written" in refused.err
        assert "Contact.MailingAddress is of type address, which cannot be sent" in refused.err
        assert not (clicked.journey.folder / "config").exists()

    def test_a_license_that_the_help_page_forgets_is_in_the_plan(self, tmp_path):
        state = tmp_path / "org"
        with serve(state) as org:
            with opened(org) as client:
                new_user(client, licensed=False)
            deploy(org, FIELD, permission_set(), *pair())
        clicked = Clicked.start(tmp_path / "project", state)
        result = clicked.journey.run("import", "--permission-set", SET)
        assert result.code == 0, result.err
        assert f"{USER} has no permission set license" in " ".join(result.out.split())
        assert clicked.journey.actions() == {
            f"PermissionSetLicenseAssign:SalesforceAPIIntegrationPsl/{USER}": "create",
            f"PermissionSetAssignment:{SET}/{USER}": "create",
        }


def test_the_answer_of_json_holds_the_files_and_what_was_chosen(clicked):
    answer = clicked.journey.run("--json", "import", "--dry-run").json
    result = answer["result"]
    assert answer["status"] == 0
    assert set(result["files"]) == {"sfcode.yaml", "mappings/contact.yaml"}
    assert result["as_is"] == ["CustomField:Contact.Appcues_Id__c", "PermissionSet:Appcues_Access"]
    assert [leftover["host"] for leftover in result["leftovers"]] == ["*.integration-hook.com"]
    assert (result["changes"], result["refusals"], result["written"]) == ({}, [], False)
    assert "5f0c2a" not in json.dumps(answer), "the connector's address is nobody's business"


def test_a_production_org_is_protected_and_adopted_by_a_saved_plan(clicked):
    with clicked.org() as org:
        clicked.journey.environ = {"SF_ACCESS_TOKEN": org.access_token, "SFCODE_ORG": org.url}
        clicked.imported()
        assert clicked.journey.apply().code == 1
        assert clicked.journey.plan("--out", "adopt.plan").code == 0
        assert clicked.journey.run("apply", "adopt.plan").code == 0
        assert clicked.journey.plan("--detailed-exitcode").code == 0


def test_an_import_signs_in_like_every_other_command(clicked):
    with clicked.org() as org, connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API):
        clicked.journey.environ = {"SF_ACCESS_TOKEN": org.access_token, "SFCODE_RELAY_OUTBOUND_SECRET": SECRET}
        result = clicked.journey.run("--org", org.url, "--env", "staging", "import")
        assert result.code == 0, result.err
        text = (clicked.journey.folder / "config" / "sfcode.yaml").read_text()
        assert f'  staging:\n    org: "{org.url}"' in text
        assert clicked.journey.run("plan", "--detailed-exitcode").code == 2
