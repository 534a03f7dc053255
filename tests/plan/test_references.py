"""Components that are still referred to are released; others are deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Action
from sfcode.plan.document import load, save
from sfcode.plan.references import References, refers_to
from sfcode.plan.reports import FORMATS, ReportOptions, render_plan
from tests.plan.samples import build, desired, number, observed, permissions

SCORE = number("Score__c")
MESSAGE = Component("WorkflowOutboundMessage", "Contact.Appcues_contact", {"fields": ["Id", "Score__c"]})
FLOW = Component(
    "Flow",
    "Appcues_contact",
    {
        "actionCalls": {"Send": {"actionName": "Contact.Appcues_contact"}},
        "start": {"object": "Contact", "filterFormula": "ISCHANGED({!$Record.Score__c})"},
    },
)

RULE = Component(
    "WorkflowRule", "Contact.Appcues_contact", {"actions": {"Appcues_contact": {"type": "OutboundMessage"}}}
)


@pytest.mark.parametrize(
    ("component", "address", "expected"),
    [
        (MESSAGE, "CustomField:Contact.Score__c", True),
        (MESSAGE, "CustomField:contact.score__c", True),
        (MESSAGE, "CustomField:Lead.Score__c", False),
        (MESSAGE, "CustomField:Contact.Other_Score__c", False),
        (FLOW, "CustomField:Contact.Score__c", True),
        (FLOW, "CustomField:Lead.Score__c", False),
        (FLOW, "WorkflowOutboundMessage:Contact.Appcues_contact", True),
        (FLOW, "WorkflowOutboundMessage:Contact.Appcues_contact2", False),
        (replace(MESSAGE, body={"fields": ["Plan__r.Name"]}), "CustomField:Contact.Plan__c", True),
        (permissions(Score__c=True), "CustomField:Contact.Score__c", True),
        (permissions(Score__c=True), "CustomField:Lead.Score__c", False),
        (
            Component("PermissionSet", "P", {"fieldPermissions": {"Event.Id__c": {"readable": True}}}),
            "CustomField:Activity.Id__c",
            True,
        ),
        (
            Component("PermissionSetAssignment", "P/a@b.c", {"Assignee": "a@b.c", "PermissionSet": "P"}),
            "PermissionSet:P",
            True,
        ),
        (Component("CustomField", "Contact.X__c", {"referenceTo": "Log__c"}), "CustomObject:Log__c", True),
        (Component("CustomField", "Contact.X__c", {"formula": "TEXT(Score__c)"}), "CustomField:Contact.Score__c", True),
        (SCORE, "CustomField:Contact.Score__c", False),
        # Flow, rule and message of a mapping have one name.
        (RULE, "WorkflowOutboundMessage:Contact.Appcues_contact", True),
        (RULE, "WorkflowOutboundMessage:Lead.Appcues_contact", False),
        (RULE, "Flow:Appcues_contact", False),
        (FLOW, "WorkflowRule:Contact.Appcues_contact", False),
    ],
)
def test_references_of_a_component_are_found(component, address, expected):
    assert refers_to(component, Address.parse(address)) is expected
    other_components = [SCORE, permissions(), Component("Flow", "Other", {"label": "Other"})]
    assert References([*other_components, component]).find(Address.parse(address)) == [component] * expected


@pytest.mark.parametrize("user", [permissions(Score__c=True), MESSAGE, FLOW])
def test_a_field_that_a_desired_component_refers_to_is_released(project, user, tmp_path):
    plan = build(project, desired(user), observed(SCORE, user, applied=(SCORE, user)), allow_delete=())
    assert plan.effective == ()
    assert plan.released == {SCORE.address}
    assert plan.records_state, "the state forgets it"
    assert SCORE not in plan.list_desired()
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan
    for name in FORMATS:
        assert "Contact.Score__c" in "".join(render_plan(plan, name, ReportOptions()))
    text = "".join(render_plan(plan, "text", ReportOptions()))
    assert "CustomField:Contact.Score__c will no longer be managed, and remains unchanged" in text
    after = build(project, desired(user), observed(SCORE, user, applied=plan.list_desired()))
    assert after.is_empty
    assert after.released == frozenset()


def test_a_field_without_desired_references_is_deleted(project):
    user = permissions(Other__c=True)
    plan = build(project, desired(user), observed(SCORE, MESSAGE, user, applied=(SCORE, user)))
    assert [(change.address, change.action) for change in plan.effective] == [(SCORE.address, Action.DELETE)]
    assert plan.released == frozenset()


def test_allowing_the_deletion_of_a_deleted_field_is_no_error(project):
    from sfcode.plan.state import Applied, Past

    past = Past("1", "then", "me", None, {SCORE.address: SCORE.body}, frozenset({SCORE.address}))
    snapshot = replace(observed(), applied=Applied(history=(past,)))
    plan = build(project, desired(), snapshot, allow_delete=(SCORE.address,))
    assert plan.refusals == ()
    assert plan.warnings == (f"--allow-delete {SCORE.address} has no effect: this plan does not delete it",)
