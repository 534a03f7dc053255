"""Which saves send messages through record-triggered flows and workflow rules, for every way of writing."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Component
from tests.local.automation.building import (
    EVERYTHING,
    READ,
    SOMEBODY,
    deploy,
    flow,
    message,
    rule,
    signed_in_as,
    user_with,
)
from tests.waiting import until

FIELDS = ["Id", "Title"]


@pytest.fixture
def sent(control, receiver):
    """Return a function that delivers messages, and returns the titles that were sent since its last call."""

    def titles() -> list[str]:
        control.deliver()
        return [fields.get("Title", "") for post in receiver.take() for fields in post.records]

    return titles


@pytest.fixture
def triggered(org, receiver):
    """Return a function that deploys a trigger of the message."""

    def deploying(*components: Component) -> None:
        deploy(org, message(receiver.url, FIELDS), *components)

    return deploying


@pytest.fixture
def change(rest, contact):
    """Return a function that changes the contact."""

    def patch(**values) -> None:
        answer = rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json=values)
        assert answer.status_code == 204, answer.text

    return patch


def filters(*conditions, **more):
    """Return a start element with conditions: (field, operator, value)."""
    return {
        "filters": [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions],
        "filterLogic": "and",
        **more,
    }


def test_a_flow_sends_when_its_formula_is_true_of_the_save(triggered, change, sent):
    triggered(flow({"filterFormula": "ISCHANGED({!$Record.Title})", "recordTriggerType": "Update"}))
    change(Title="New")
    change(Title="New")
    change(Department="Other")
    assert sent() == ["New"]


@pytest.mark.parametrize(
    "case", [("Create", ["Made"]), ("Update", ["Changed"]), ("CreateAndUpdate", ["Changed", "Made"])]
)
def test_a_flow_runs_on_the_saves_of_its_trigger(triggered, rest, change, sent, case):
    when, expected = case
    triggered(flow({"recordTriggerType": when}))
    change(Title="Changed")
    rest.create("Contact", LastName="New", Title="Made")
    assert sorted(sent()) == expected


def test_a_draft_flow_does_not_run(triggered, change, sent):
    triggered(flow({}, status="Draft"))
    change(Title="New")
    assert sent() == []


@pytest.mark.parametrize(
    "case",
    [
        (("Title", "EqualTo", {"stringValue": "boss"}), {"Title": "Boss"}, True),
        (("Title", "EqualTo", {"stringValue": "Boss"}), {"Title": "Clerk"}, False),
        (("Title", "NotEqualTo", {"stringValue": "Boss"}), {"Title": None}, True),
        (("Title", "StartsWith", {"stringValue": "Head"}), {"Title": "Head of Sales"}, True),
        (("Title", "EndsWith", {"stringValue": "Sales"}), {"Title": "Head of Sales"}, True),
        (("Title", "Contains", {"stringValue": "nothing"}), {"Title": "Head of Sales"}, False),
        (("Title", "IsNull", {"booleanValue": True}), {"Title": None}, True),
        (("Title", "IsNull", {"booleanValue": False}), {"Title": None}, False),
        (("Title", "IsChanged", {"booleanValue": True}), {"Department": "X"}, False),
        (("Title", "IsChanged", {"booleanValue": True}), {"Title": "X"}, True),
        (("Product_User_Id__c", "GreaterThan", {"numberValue": "5.0"}), {"Product_User_Id__c": 6}, True),
        (("Product_User_Id__c", "LessThanOrEqualTo", {"numberValue": "5.0"}), {"Product_User_Id__c": 6}, False),
        (("Product_User_Id__c", "LessThan", {"numberValue": "5.0"}), {"Product_User_Id__c": None}, False),
        (("Birthdate", "GreaterThanOrEqualTo", {"dateValue": "1990-01-01"}), {"Birthdate": "1990-01-01"}, True),
        (("Title", "EqualTo", {"elementReference": "$Record.Department"}), {"Title": "A", "Department": "A"}, True),
        (("Title", "EqualTo", {"elementReference": "$Record__Prior.Title"}), {"Department": "Z"}, True),
    ],
    ids=repr,
)
def test_a_flow_compares_fields_with_its_conditions(triggered, change, sent, case):
    condition, values, fires = case
    triggered(flow(filters(condition, recordTriggerType="Update")))
    change(**values)
    assert bool(sent()) is fires


def test_condition_logic_joins_conditions(triggered, change, sent):
    conditions = [
        ("Title", "EqualTo", {"stringValue": "A"}),
        ("Title", "EqualTo", {"stringValue": "B"}),
        ("Department", "EqualTo", {"stringValue": "X"}),
    ]
    triggered(flow(filters(*conditions) | {"filterLogic": "(1 OR 2) AND NOT 3", "recordTriggerType": "Update"}))
    for title, department in (("A", "Y"), ("B", "X"), ("C", "Y"), ("B", "Y")):
        change(Title=title, Department=department)
    assert sorted(sent()) == ["B", "B"], "latest data: both notifications show what the contact holds now"


def test_a_flow_runs_only_when_a_record_begins_to_meet_its_conditions(triggered, change, sent):
    criteria = filters(("Title", "EqualTo", {"stringValue": "Boss"}), doesRequireRecordChangedToMeetCriteria=True)
    triggered(flow(criteria))
    for title in ("Boss", "Boss", "Clerk", "Boss"):
        change(Title=title)
    assert len(sent()) == 2


def test_a_flow_sends_every_message_on_its_way(org, triggered, change, sent, receiver):
    deploy(org, message(receiver.url, ["Id"], name="Contact.Other"))
    first = dict(flow({}).body["actionCalls"])["Send"]
    second = first | {"actionName": "Contact.Other", "nameSegment": "Contact.Other"}
    calls = {"Send": first | {"connector": {"targetReference": "Then"}}, "Then": second}
    triggered(flow({}, actionCalls=calls))
    change(Title="Both")
    assert sorted(sent()) == ["", "Both"]


def test_unsupported_elements_of_a_flow_are_logged(triggered, change, sent, control):
    decision = {
        "label": "Which",
        "locationX": 0,
        "locationY": 0,
        "defaultConnectorLabel": "Otherwise",
        "rules": [],
    }
    send = dict(dict(flow({}).body["actionCalls"])["Send"]) | {"connector": {"targetReference": "Which"}}
    triggered(flow({}, actionCalls={"Send": send}, decisions={"Which": decision}))
    change(Title="First")
    assert sent() == ["First"], "what comes before is certain"
    assert control.log == [
        "Flow:Send_Contact: stopped before the element Which (decisions), which the local org does not run"
    ]


def test_a_rule_with_a_formula_sends_as_the_one_that_appcues_makes(triggered, change, sent):
    triggered(rule({"formula": "!ISBLANK(Id)", "triggerType": "onAllChanges"}))
    change(Title="New")
    change(Title="New")
    assert sent() == ["New", "New"], "without a condition on changes every save sends"


@pytest.mark.parametrize(
    ("when", "count"), [("onCreateOnly", 0), ("onCreateOrTriggeringUpdate", 2), ("onAllChanges", 3)]
)
def test_a_rule_runs_on_the_saves_of_its_trigger_type(triggered, change, sent, when, count):
    criteria = [{"field": "Contact.Title", "operation": "equals", "value": "boss, Chief"}]
    triggered(rule({"criteriaItems": criteria, "triggerType": when}))
    for title in ("Boss", "Chief", "Clerk", "Boss"):
        change(Title=title)
    assert len(sent()) == count


@pytest.mark.parametrize(
    "case",
    [
        (("Contact.CreatedDate", "notEqual", "1/1/2002"), {}, True),
        (("Contact.CreatedDate", "equals", "3/18/2026"), {}, True),
        (("Contact.CreatedDate", "greaterThan", "12/31/2025 11:59 PM"), {}, True),
        (("Contact.CreatedDate", "lessThan", "2002-01-01"), {}, False),
        (("Contact.Title", "notEqual", None), {"Title": "X"}, True),
        (("Contact.Title", "equals", None), {"Title": None}, True),
        (("Contact.Title", "contains", "sales,board"), {"Title": "Chair of the Board"}, True),
        (("Contact.Title", "notContain", "sales,board"), {"Title": "Chair of the Board"}, False),
        (("Contact.Title", "startsWith", "chair"), {"Title": "Chair of the Board"}, True),
        (("Contact.Product_User_Id__c", "greaterOrEqual", "7"), {"Product_User_Id__c": 7}, True),
        (("Contact.HasOptedOutOfEmail", "equals", "True"), {"HasOptedOutOfEmail": True}, True),
        (("Contact.HasOptedOutOfEmail", "equals", "False"), {"HasOptedOutOfEmail": True}, False),
        (("User.Username", "equals", "admin@northwind.example"), {}, True),
        (("Account.Name", "notEqual", "Nobody"), {}, True),
    ],
    ids=repr,
)
def test_a_rule_compares_fields_with_its_criteria(triggered, change, sent, case):
    (field, operation, value), values, fires = case
    criterion = {"field": field, "operation": operation} | ({} if value is None else {"value": value})
    triggered(rule({"criteriaItems": [criterion], "triggerType": "onAllChanges"}))
    change(LastName="Somebody", **values)
    assert bool(sent()) is fires


def test_a_rule_that_is_not_active_does_nothing(triggered, change, sent):
    triggered(rule({"formula": "TRUE", "triggerType": "onAllChanges", "active": False}))
    change(Title="New")
    assert sent() == []


def test_a_relative_date_is_not_evaluated(triggered, change, sent, control):
    criterion = {"field": "Contact.CreatedDate", "operation": "lessThan", "value": "LAST 90 DAYS"}
    triggered(rule({"criteriaItems": [criterion], "triggerType": "onAllChanges"}))
    change(Title="New")
    assert sent() == []
    assert control.log == ["WorkflowRule:Contact.Changed: the date 'LAST 90 DAYS' is not read by the local org"]


def in_bulk(rest, csv: str) -> None:
    job = rest("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()["id"]
    answer = rest("PUT", f"/jobs/ingest/{job}/batches", data=csv.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 201, answer.text
    rest("PATCH", f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    until(lambda: rest("GET", f"/jobs/ingest/{job}").json()["state"] == "JobComplete")


@pytest.mark.parametrize("way", ["composite", "batch", "tree", "bulk"])
def test_every_bulk_write_sends(rest, triggered, sent, way):
    triggered(flow({}))
    values = {"LastName": "Writer", "Title": way}
    path = "/services/data/v62.0/sobjects/Contact"
    if way == "composite":
        step = {"method": "POST", "url": path, "referenceId": "one", "body": values}
        answer = rest("POST", "/composite", json={"compositeRequest": [step]})
    elif way == "batch":
        step = {"method": "POST", "url": path.removeprefix("/services/data/"), "richInput": values}
        answer = rest("POST", "/composite/batch", json={"batchRequests": [step]})
    elif way == "tree":
        record = {"attributes": {"type": "Contact", "referenceId": "one"}, **values}
        answer = rest("POST", "/composite/tree/Contact", json={"records": [record]})
    else:
        in_bulk(rest, f"LastName,Title\nWriter,{way}\n")
        answer = rest("GET", "/limits")
    assert answer.status_code < 300, answer.text
    assert sent() == [way]


@pytest.mark.parametrize("way", ["create", "update", "upsert", "collection", "upsert-collection"])
def test_every_single_write_sends(rest, org, triggered, sent, way):
    deploy(
        org,
        Component("CustomField", "Contact.Key__c", {"label": "Key", "type": "Text", "length": 20, "externalId": True}),
        Component(
            "PermissionSet",
            "Keys",
            {"label": "Keys", "fieldPermissions": {"Contact.Key__c": {"editable": True, "readable": True}}},
        ),
    )
    users, sets = (
        rest.rows("SELECT Id FROM User WHERE Alias = 'radmin'"),
        rest.rows("SELECT Id FROM PermissionSet WHERE Name = 'Keys'"),
    )
    rest.create("PermissionSetAssignment", AssigneeId=users[0]["Id"], PermissionSetId=sets[0]["Id"])
    triggered(flow({"filterFormula": "OR(ISNEW(), ISCHANGED({!$Record.Title}))"}))
    values = {"LastName": "Writer", "Title": way}
    attributes = {"attributes": {"type": "Contact"}}
    if way == "create":
        rest.create("Contact", **values)
    elif way == "update":
        contact = rest.create("Contact", LastName="Writer", Title="before")
        assert sent() == ["before"]
        rest("PATCH", f"/sobjects/Contact/{contact}", json=values)
    elif way == "upsert":
        assert rest("PATCH", "/sobjects/Contact/Key__c/k1", json=values).status_code == 201
    elif way == "collection":
        rest("POST", "/composite/sobjects", json={"records": [attributes | values]})
    else:
        answer = rest(
            "PATCH", "/composite/sobjects/Contact/Key__c", json={"records": [attributes | values | {"Key__c": "k2"}]}
        )
        assert answer.json()[0]["success"], answer.text
    assert sent() == [way]


def test_a_rolled_back_save_sends_nothing(rest, triggered, sent, contact, control):
    triggered(flow({}))
    good = {"attributes": {"type": "Contact"}, "Id": contact["Id"], "Title": "Rolled back"}
    bad = {"attributes": {"type": "Contact"}, "Id": contact["Id"], "Email": "no address"}
    answer = rest("PATCH", "/composite/sobjects", json={"allOrNone": True, "records": [good, bad]})
    assert [entry["success"] for entry in answer.json()] == [False, False]
    assert control.queue == []
    answer = rest("PATCH", "/composite/sobjects", json={"allOrNone": False, "records": [good, bad]})
    assert [entry["success"] for entry in answer.json()] == [True, False]
    assert sent() == ["Rolled back"], "only the record that was saved"


def test_a_save_of_a_user_without_the_right_sends_nothing(rest, state, receiver, control, contact):
    """The writes of an integration user must not be sent back to the integration."""
    deploy(rest.org, message(receiver.url, FIELDS), flow({}))
    silent = user_with(
        rest,
        objectPermissions={"Contact": EVERYTHING},
        fieldPermissions={"Contact.Title": {"editable": True, "readable": True}},
        userPermissions={"ApiEnabled": {"enabled": True}},
    )
    with signed_in_as(rest, state, silent) as client:
        answer = client("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Echo"})
        assert answer.status_code == 204, answer.text
    assert control.deliver()["messages"] == 0
    assert control.log == [
        "Flow:Send_Contact: Contact.Changed is not sent: the saving user has no right to send outbound messages"
    ]


def test_a_field_that_the_messages_user_cannot_read_is_omitted(rest, receiver, control, contact):
    user_with(
        rest,
        objectPermissions={"Contact": READ},
        fieldPermissions={"Contact.Title": {"editable": False, "readable": True}},
    )
    fields = ["Id", "LastName", "Title", "Email", "SystemModstamp"]
    deploy(rest.org, message(receiver.url, fields, user=SOMEBODY), flow({}))
    assert rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Seen"}).status_code == 204
    control.deliver()
    (post,) = receiver.take()
    (fields,) = post.records
    assert fields.pop("SystemModstamp").endswith("Z")
    assert set(fields) == {"Id", "LastName", "Title"}


def test_a_message_of_a_deleted_user_waits(rest, receiver, control, contact):
    user = user_with(rest, objectPermissions={"Contact": READ})
    deploy(rest.org, message(receiver.url, FIELDS, user=SOMEBODY), flow({}))
    rest("PATCH", f"/sobjects/User/{user}", json={"IsActive": False})
    rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Later"})
    assert control.deliver()["failed"] == 1
    rest("PATCH", f"/sobjects/User/{user}", json={"IsActive": True})
    assert control.advance(minutes=1)["delivered"] == 1
    assert receiver.take()
