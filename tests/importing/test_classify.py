"""Components of Appcues are recognized by names, hosts and formulas; all others are ignored."""

from __future__ import annotations

import pytest

from sfcode.importing.classify import as_text_of, find_messages, formula
from sfcode.metadata.component import Component
from sfcode.metadata.objects import Field

CONNECTOR = "AppcuesOnContactCreateUpdate_Z1AzRYj"


def outbound(name: str, url: str) -> Component:
    body = {"endpointUrl": url, "fields": ["Id"], "integrationUser": "robin@example.com"}
    return Component("WorkflowOutboundMessage", f"Contact.{name}", body)


def rule(name: str, *actions: tuple[str, str], **more) -> Component:
    return Component("WorkflowRule", f"Contact.{name}", {"actions": {n: {"type": t} for n, t in actions}, **more})


def flow(*messages_: str, **more) -> Component:
    calls = {
        f"Call_{index}": {"actionName": name, "actionType": "outboundMessage"} for index, name in enumerate(messages_)
    }
    return Component("Flow", "Sender", {"actionCalls": calls, "start": {"object": "Contact"}, **more})


@pytest.mark.parametrize(
    ("name", "url", "by_connector"),
    [
        (CONNECTOR, "https://5f0c-ab12.integration-hook.com", True),
        ("Renamed", "https://5f0c-ab12.integration-hook.com", True),
        (CONNECTOR, "https://elsewhere.example.com/x", True),
        ("Send_To_Appcues", "https://hooks.integrations.appcues.com/trigger/SW5zdGFuY2U", False),
        ("In_Capitals", "https://HOOKS.Appcues.com/trigger", False),
        ("Bare_Domain", "https://appcues.com/trigger", False),
        ("Bare_Connector", "https://integration-hook.com", True),
    ],
)
def test_a_message_to_appcues_is_recognized_by_its_host_or_the_connectors_name(name, url, by_connector):
    (messages,) = find_messages([outbound(name, url)], [])
    assert messages.by_connector is by_connector
    assert messages.user == "robin@example.com"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("Invoice", "https://erp.example.com/appcues.com"),
        ("Invoice", "https://notappcues.com/"),
        ("Invoice", "https://integration-hook.com.example.com/"),
        ("AppcuesLike", "https://erp.example.com/"),
        ("Invoice", "not a url"),
    ],
)
def test_other_messages_are_ignored(name, url):
    assert find_messages([outbound(name, url)], []) == ()


def test_only_the_domain_of_the_connectors_host_is_shown():
    (messages,) = find_messages([outbound(CONNECTOR, "https://5f0c-ab12.integration-hook.com")], [])
    assert messages.shown_host == "*.integration-hook.com"


def test_rules_and_flows_that_only_send_to_appcues_are_distinguished_from_others():
    own_message = outbound(CONNECTOR, "https://a.integration-hook.com")
    message_of_others = outbound("Invoice", "https://erp.example.com/")
    name = f"Contact.{CONNECTOR}"
    alone = {
        "rule": rule("Alone", (CONNECTOR, "OutboundMessage")),
        "flow": flow(name),
        "flow with the name in another case": flow(name.upper()),
    }
    busy = {
        "a field update too": rule("Busy", (CONNECTOR, "OutboundMessage"), ("Stamp", "FieldUpdate")),
        "another message too": rule("Two", (CONNECTOR, "OutboundMessage"), ("Invoice", "OutboundMessage")),
        "later too": rule("Timed", (CONNECTOR, "OutboundMessage"), workflowTimeTriggers=[{"timeLength": "1"}]),
        "a flow with a record update": flow(name, recordUpdates={"Stamp": {"object": "Contact"}}),
        "a flow with two messages": flow(name, "Contact.Invoice"),
    }
    for expected, components in ((True, alone), (False, busy)):
        for title, component in components.items():
            rules = [component] if component.type == "WorkflowRule" else []
            flows = [component] if component.type == "Flow" else []
            (messages,) = find_messages([own_message, message_of_others, *rules], flows)
            assert [(trigger.address, trigger.alone) for trigger in messages.fired_by] == [
                (component.address, expected)
            ], title


@pytest.mark.parametrize(
    "component",
    [
        rule("Other", (CONNECTOR, "FieldUpdate")),
        Component(
            "Flow",
            "Other",
            {"actionCalls": {"Call": {"actionName": f"Contact.{CONNECTOR}", "actionType": "emailAlert"}}},
        ),
        Component("WorkflowRule", "Contact.Without_Actions", {}),
        Component("Flow", "Without_Actions", {}),
        Component("WorkflowFieldUpdate", f"Contact.{CONNECTOR}", {"actions": {CONNECTOR: {"type": "OutboundMessage"}}}),
    ],
    ids=lambda component: f"{component.type} {component.full_name}",
)
def test_a_trigger_of_another_action_is_not_a_trigger_of_the_message(component):
    (messages,) = find_messages([outbound(CONNECTOR, "https://a.integration-hook.com"), component], [component])
    assert messages.fired_by == ()


def test_messages_and_their_triggers_come_in_the_order_of_their_names():
    names = ("AppcuesOnLead_9z", "AppcuesOnContact_1a")
    rules = [rule(name, *((sent, "OutboundMessage") for sent in names)) for name in ("Second", "First")]
    messages = find_messages([*(outbound(name, "https://a.integration-hook.com") for name in names), *rules], [])
    assert [message.address.full_name for message in messages] == [f"Contact.{name}" for name in reversed(names)]
    for message in messages:
        assert [trigger.address.full_name for trigger in message.fired_by] == ["Contact.First", "Contact.Second"]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("TEXT(Product_User_Id__c)", "Product_User_Id__c"),
        (" text( Product_User_Id__c ) ", "Product_User_Id__c"),
        ('IF(ISBLANK(A__c), "", TEXT(A__c))', "A__c"),
        ("IF(ISBLANK(A__c), NULL, TEXT(A__c))", "A__c"),
        ("IF(NOT(ISBLANK(A__c)),TEXT(A__c),'')", "A__c"),
        ('IF(ISBLANK(A__c), "", TEXT(B__c))', ""),
        ("TEXT(A__c) & '-x'", ""),
        ("TEXT(Account.A__c)", ""),
        ("IF(ISBLANK(GSA_Contact_ID__c), GSA_ID_Auto1__c, GSA_Contact_ID__c)", ""),
        ("", ""),
    ],
)
def test_the_source_of_a_text_formula_is_found_if_it_is_one_field(text, source):
    assert as_text_of(text) == source


def test_a_formula_over_a_picklist_is_no_user_id():
    fields = {"Status": Field("Status", "picklist"), "Number__c": Field("Number__c", "double")}
    assert formula({"formula": "TEXT(Status)"}, fields).source == ""
    parsed = formula({"formula": "TEXT(Number__c)", "formulaTreatBlanksAs": "BlankAsZero"}, fields)
    assert (parsed.source, parsed.blank_as_zero) == ("Number__c", True)
