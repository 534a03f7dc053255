"""What was there before sfcode must fit what is generated, and has its own name."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.metadata.component import Address
from tests.generate.projects import CONTACT, OFFLINE, changed, project, settings

FIELD = "CustomField:Contact.Appcues_User_Id__c"
MESSAGE = "WorkflowOutboundMessage:Contact.Send_To_Appcues"


def problems(mapping: dict[str, Any], config: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        generate(project({"contact": mapping}, config), OFFLINE)
    return [str(problem).split(": ", 1)[1] for problem in caught.value.problems]


def test_the_permission_set_may_have_a_name_of_its_own_and_keeps_it_in_its_assignment():
    config = settings(permission_set__in__integration_user="Appcues_Access")
    made = generate(project(config=config), OFFLINE)
    sets = [component.full_name for component in made.components if component.type == "PermissionSet"]
    assert sets == ["Appcues_Access", "Appcues_Viewer"]
    (assignment,) = (row for row in made.records if row.type == "PermissionSetAssignment")
    assert assignment.body["PermissionSet"] == "Appcues_Access"
    (place,) = (one.path for one in made.origins if one.address == assignment.address and one.token == "Appcues_Access")
    assert place == "integration_user.permission_set"


def test_people_who_saw_a_field_before_need_no_viewers_set_for_it():
    mapping = changed(CONTACT, to_salesforce=None, direction="to_appcues", delivery="connector")
    new = generate(project({"contact": mapping}), OFFLINE)
    assert "Appcues_Viewer" in [component.full_name for component in new.components]
    known = generate(project({"contact": mapping}, settings(as_is=[FIELD])), OFFLINE)
    assert [str(component.address) for component in known.components] == [FIELD, "PermissionSet:Appcues_Integration"]


def test_what_nothing_asks_for_cannot_be_taken_on():
    assert problems(CONTACT, settings(as_is=["PermissionSet:Appcues_Access"])) == [
        (
            "as_is[0]: nothing in this project asks for PermissionSet:Appcues_Access; take the line out: what no mapping asks "
            "for is not looked at; or correct it"
        )
    ]


def test_a_mapping_cannot_replace_what_it_makes():
    own = "WorkflowOutboundMessage:Contact.Appcues_contact"
    (problem,) = problems(changed(CONTACT, replaces=[MESSAGE, own]), settings())
    assert problem == f"replaces[1]: {own} is what this project makes itself; take the line out"


@pytest.mark.parametrize(("delivery", "gone"), [("relay", {Address.parse(MESSAGE): "contact"}), ("connector", {})])
def test_what_sends_today_is_replaced_only_by_a_relay(delivery, gone):
    made = project({"contact": changed(CONTACT, replaces=[MESSAGE], delivery=delivery)}, settings(as_is=[FIELD]))
    assert made.replaced == gone
    assert made.adopted == {Address.parse(FIELD)}


def test_placeholders_may_wait_for_the_relay_and_no_longer():
    config = settings(
        account_id__in__appcues="FILL_IN",
        url__in__relay="https://fill-in.invalid",
    )
    assert generate(project({"contact": changed(CONTACT, delivery="connector")}, config), OFFLINE)
    assert [problem.partition(" ")[0] for problem in problems(CONTACT, config)] == ["appcues.account_id:", "relay.url:"]
