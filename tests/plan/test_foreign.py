"""Unmanaged components in the files of managed ones are counted, and not parsed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.objects import Field, ObjectSchema, OrgSchema
from sfcode.metadata.package import read
from sfcode.plan.change import Change
from sfcode.plan.document import load, save
from sfcode.plan.foreign import (
    Preserved,
    count_preserved,
    describe_preserved,
    extract_components,
    unmanaged_fields,
)
from sfcode.plan.reports.markdown import markdown
from sfcode.plan.reports.text import text
from tests.plan.samples import addresses
from tests.plan.test_document import plan

__all__ = ["plan"]

MINE = Address("WorkflowOutboundMessage", "Contact.Mine")
WORKFLOW = b"""<?xml version="1.0" encoding="UTF-8"?>
<Workflow xmlns="http://soap.sforce.com/2006/04/metadata">
    <alerts><fullName>Alert</fullName><fromTheFuture>yes</fromTheFuture></alerts>
    <brandNew><fullName>Thing</fullName></brandNew>
    <outboundMessages>
        <fullName>Mine</fullName><apiVersion>63.0</apiVersion><endpointUrl>https://x.example</endpointUrl>
        <fields>Id</fields><includeSessionId>false</includeSessionId><integrationUser>u@example.com</integrationUser>
        <name>Mine</name><protected>false</protected>
    </outboundMessages>
    <rules><fullName>Theirs</fullName><active>true</active><oddity/></rules>
</Workflow>"""


def test_unmanaged_components_are_not_parsed():
    files = {"unpackaged/workflows/Contact.workflow": WORKFLOW}
    with pytest.raises(MetadataError):
        read(files)
    remaining_files, all_addresses = extract_components(files, {MINE})
    assert [component.address for component in read(remaining_files)] == [MINE]
    assert all_addresses == set(addresses("WorkflowAlert:Contact.Alert", "WorkflowRule:Contact.Theirs")) | {MINE}


def test_files_of_other_types_are_ignored():
    files = {"flows/X.flow": b"<Flow/>", "package.xml": b"<Package/>"}
    assert extract_components(files, set()) == (files, set())


def change(address):
    return Change(address, None, Component(address.type, address.full_name, {"a": "1"}))


def test_counts_are_of_the_files_that_the_plan_writes_to():
    unmanaged_addresses = addresses(
        "WorkflowRule:Contact.A",
        "WorkflowRule:Contact.B",
        "WorkflowOutboundMessage:Contact.C",
        "WorkflowRule:Lead.D",
        "CustomField:Contact.E__c",
    )
    assert count_preserved([change(MINE)], unmanaged_addresses) == (
        Preserved("Workflow:Contact", {"WorkflowOutboundMessage": 1, "WorkflowRule": 2}),
    )
    assert count_preserved([change(Address("Flow", "X"))], unmanaged_addresses) == ()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            {"WorkflowRule": 2, "WorkflowOutboundMessage": 1},
            "2 rules and 1 message in Contact.workflow are not managed by sfcode, and not changed",
        ),
        ({"WorkflowRule": 1}, "1 rule in Contact.workflow is not managed by sfcode, and not changed"),
        ({"WorkflowSend": 2, "WorkflowTask": 3, "WorkflowAlert": 1}, "2 entries, 3 tasks and 1 alert in"),
        (
            {"WorkflowSend": 1, "WorkflowTask": 1},
            "1 entry and 1 task in Contact.workflow are not managed by sfcode, and not changed",
        ),
    ],
)
def test_counts_are_described_in_sentences(counts, words):
    assert str(Preserved("Workflow:Contact", counts)).startswith(words)


def test_unmanaged_fields_are_counted_from_the_describe():
    fields = {name: Field(name, "string", custom=name.endswith("__c")) for name in ("Email", "Mine__c", "Theirs__c")}
    objects = {name: ObjectSchema(name, name, fields, complete=True) for name in ("Contact", "Event", "Task")}
    own_addresses = addresses("CustomField:Contact.Mine__c", "CustomField:Activity.Mine__c")
    assert sorted(unmanaged_fields(OrgSchema(objects, online=True), own_addresses)) == sorted(
        addresses("CustomField:Activity.Theirs__c", "CustomField:Contact.Theirs__c")
    )


def test_every_plan_format_shows_the_counts_and_a_saved_plan_keeps_them(plan, tmp_path):
    full_plan = replace(plan, preserved=(Preserved("Workflow:Contact", {"WorkflowRule": 2}),))
    assert "\nNote: 2 rules in Contact.workflow are not managed by sfcode, and not changed.\n" in text(full_plan)
    assert "\n2 rules in Contact.workflow are not managed by sfcode, and not changed.\n" in markdown(full_plan)
    save(full_plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == full_plan


def test_many_files_share_a_sentence():
    """A plan of 200 mappings would begin with 200 lines about the fields of others."""
    objects = [Preserved(f"CustomObject:Thing{number}__c", {"CustomField": 600}) for number in range(5)]
    assert describe_preserved(objects) == [
        f"600 fields in Thing{number}__c.object are not managed by sfcode, and not changed" for number in range(5)
    ]
    workflow = Preserved("Workflow:Contact", {"WorkflowRule": 1, "WorkflowAlert": 2})
    (sentence,) = describe_preserved([*objects, workflow])
    assert sentence == (
        "3,000 fields, 2 alerts and 1 rule in 6 files (Thing0__c.object, Thing1__c.object, Thing2__c.object and "
        "3 more) are not managed by sfcode, and not changed"
    )
