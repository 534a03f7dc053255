"""Each generated name has a YAML line, at which messages of the org about the name are shown."""

from __future__ import annotations

import json
from itertools import groupby

from sfcode.diagnostics import Position
from sfcode.generate import generate
from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Address
from tests.generate.projects import CONTACT, OFFLINE, USERNAME, changed, project


def place_of(result: Desired, address: str, message: str) -> tuple[Position, str]:
    """Find the position as a report does: that of the first token of the address that the message mentions."""
    first_origin = next(
        origin
        for origin in result.origins
        if origin.address == Address.parse(address) and (not origin.token or origin.token in message)
    )
    return first_origin.position, first_origin.path


def test_every_component_and_record_has_origins_with_its_own_line_last() -> None:
    result = generate(project(), OFFLINE)
    addresses = {component.address for component in (*result.components, *result.records)}
    assert {origin.address for origin in result.origins} == addresses
    for _, group in groupby(result.origins, key=lambda origin: origin.address):
        tokens = [origin.token for origin in group]
        assert tokens[-1] == ""
        assert tokens == sorted(tokens, key=lambda token: (-len(token), token))


def test_an_orgs_message_about_a_field_leads_to_its_line() -> None:
    result = generate(project(), OFFLINE)
    message = "In field: field - no CustomField named Contact.Plan__c found"
    attribute = (Position("config/mappings/contact.yaml", 11, 1), "to_appcues.attributes.plan")
    assert place_of(result, "PermissionSet:Appcues_Integration", message) == attribute
    assert place_of(result, "WorkflowOutboundMessage:Contact.Appcues_contact", "Plan__c: no such field") == attribute
    assert place_of(result, "Flow:Appcues_contact", "Field Plan__c does not exist. Check spelling.") == attribute


def test_an_orgs_message_about_the_formula_leads_to_its_source() -> None:
    message = "Field Product_User_Id__c does not exist. Check spelling."
    position, path = place_of(generate(project(), OFFLINE), "CustomField:Contact.Appcues_User_Id__c", message)
    assert (position, path) == (Position("config/mappings/contact.yaml", 5, 1), "user_id.from")


def test_an_orgs_message_about_a_user_leads_to_the_settings() -> None:
    result = generate(project(), OFFLINE)
    message = f"In field: integrationUser - no User named {USERNAME} found"
    position, path = place_of(result, "WorkflowOutboundMessage:Contact.Appcues_contact", message)
    assert (position.file, path) == ("config/sfcode.yaml", "integration_user.username")
    position, path = place_of(result, f"User:{USERNAME}", "no Profile named Minimum Access - API Only Integrations")
    assert path == "integration_user.profile"


def test_an_orgs_message_about_activities_leads_to_the_line_that_enables_them() -> None:
    result = generate(project(), OFFLINE)
    for message in ("no CustomField named Event.Appcues_Event_Id__c found", "Unknown user permission: EditEvent"):
        assert place_of(result, "PermissionSet:Appcues_Integration", message)[1] == "to_salesforce.activities"


def test_a_message_about_nothing_in_particular_leads_to_the_component() -> None:
    result = generate(project(), OFFLINE)
    assert place_of(result, "Flow:Appcues_contact", "UNKNOWN_EXCEPTION")[1] == "to_appcues.trigger"
    assert place_of(result, "PermissionSet:Appcues_Integration", "UNKNOWN_EXCEPTION")[1] == "integration_user.access"


def test_every_field_name_in_a_body_has_an_origin() -> None:
    """Every name of a mapping that a component contains has an origin."""
    result = generate(project({"contact": CONTACT, "lead": changed(CONTACT, object="Lead")}), OFFLINE)
    tokens: dict[Address, set[str]] = {}
    for origin in result.origins:
        tokens.setdefault(origin.address, set()).add(origin.token)
    for component in result.components:
        text = json.dumps(component.body)
        for name in ("Title", "Plan__c", "Product_User_Id__c", "Appcues_NPS_Score__c"):
            if name in text:
                assert name in tokens[component.address], (component.address, name)
