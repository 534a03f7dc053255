"""
Invalid calls get the same answers as in Salesforce, and leave the org unchanged.

For the sources of the messages see docs/local-org.md, "Refused requests and their sources".
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import serve
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.conftest import NOON, HandClock, Rest, open_fields

NOBODY = "003Lc00000000zzIAA"
TIMES = {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 30}
DEPLOYED = {
    "CustomField:Contact.Ext__c": {"type": "Text", "length": 20, "externalId": True, "unique": True},
    "CustomField:Contact.Score__c": {"type": "Number", "precision": 4, "scale": 1},
    "CustomField:Contact.Uid__c": {"type": "Text", "formula": "TEXT(Score__c)"},
    "CustomField:Contact.Level__c": {
        "type": "Picklist",
        "valueSet": {"restricted": True, "valueSetDefinition": {"value": [{"fullName": "Gold"}, {"fullName": "Silver"}]}},
    },
    "CustomField:Contact.Tags__c": {
        "type": "MultiselectPicklist",
        "valueSet": {"restricted": True, "valueSetDefinition": {"value": [{"fullName": "A"}, {"fullName": "B"}]}},
    },
    "CustomField:Contact.Hidden__c": {"type": "Text", "length": 20},
    "CustomField:Contact.Twice__c": {"type": "Text", "length": 20, "externalId": True},
    "CustomObject:Visit__c": {"label": "Visit", "pluralLabel": "Visits", "nameField": {"type": "Text"}},
    "CustomField:Visit__c.Needed__c": {"type": "Text", "length": 20, "required": True},
    "CustomField:Visit__c.Contact__c": {"type": "Lookup", "referenceTo": "Contact", "relationshipName": "Visits"},
}  # fmt: skip
OPEN = ("Ext__c", "Score__c", "Level__c", "Tags__c", "Twice__c")


@dataclass
class World:
    """An org with records for invalid calls; `{name}` in a call is the ID of one of them."""

    rest: Rest
    state: Path
    ids: dict[str, str]

    def filled(self, value: Any) -> Any:
        text = json.dumps(value)
        for name, record_id in self.ids.items():
            text = text.replace("{" + name + "}", record_id)
        return json.loads(text)

    def list_all(self) -> list[Any]:
        """Return all data of the org, including the counters of IDs."""
        with sqlite3.connect(self.state / "org.db") as db:
            tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            tables_content = [sorted(map(repr, db.execute(f"SELECT * FROM {table}"))) for table in sorted(tables)]
        db.close()
        return tables_content


@pytest.fixture(scope="session")
def founded(seed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Create the records once; each test gets a copy of the state."""
    state = tmp_path_factory.mktemp("wrong") / "state"
    shutil.copytree(seed, state)
    with Store(state / "org.db") as store, store.transaction() as tx:
        for address, body in DEPLOYED.items():
            kind, _, name = address.partition(":")
            tx.components.put(Component(kind, name, {"label": name, **body}), user_id="u", now=NOON)
        open_fields(tx, *(f"Contact.{name}" for name in OPEN), "Visit__c.Contact__c")
        open_fields(tx, "Contact.Uid__c", editable=False)
    with serve(state, clock=HandClock(), rng=random.Random(3)) as org:
        rest = Rest(org)
        with rest.session:
            return state, records(rest)


def records(rest: Rest) -> dict[str, str]:
    """Create the records, and return their IDs by name; `name15` is the ID with 15 characters."""
    ids: dict[str, str] = {}
    ids["contact"] = rest.create("Contact", LastName="Kim", Ext__c="k1", Twice__c="t")
    ids["twin"] = rest.create("Contact", LastName="Kim", Twice__c="T")
    ids["account"] = rest.create("Account", Name="Acme")
    ids["lead"] = rest.create("Lead", LastName="Mori", Company="Sakura")
    ids["converted"] = rest.create("Lead", LastName="Old", Company="Gone", IsConverted=True)
    ids["event"] = rest.create("Event", WhoId=ids["contact"], **TIMES)
    ids["campaign"] = rest.create("Campaign", Name="Spring")
    ids["member"] = rest.create("CampaignMember", CampaignId=ids["campaign"], ContactId=ids["contact"])
    ids["admin"] = rest.value("SELECT Id FROM User WHERE Username = 'admin@northwind.example'")
    ids["profile"] = rest.value("SELECT Id FROM Profile WHERE Name = 'Standard User'")
    ids["gone"] = rest.create("User", **person("gone"), ProfileId=ids["profile"], IsActive=False)
    return ids | {f"{name}15": record_id[:15] for name, record_id in ids.items()}


@pytest.fixture
def world(founded: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[World]:
    origin, ids = founded
    state = tmp_path / "state"
    shutil.copytree(origin, state)
    with serve(state, clock=HandClock(), rng=random.Random(3)) as org:
        rest = Rest(org)
        with rest.session:
            yield World(rest, state, ids)


def person(name: str) -> dict[str, Any]:
    return {
        "Username": f"{name}@northwind.example",
        "LastName": name,
        "Alias": name,
        "Email": f"{name}@northwind.example",
        "TimeZoneSidKey": "America/Los_Angeles",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }


def read_only(*names: str) -> str:
    return (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )


CONTACT, EVENT = "POST /sobjects/Contact", "POST /sobjects/Event"
CHANGE = "PATCH /sobjects/Contact/{contact}"
LAST = {"LastName": "x"}

Wrong = tuple[str, Any, int, str, str]
"""A call, its body, and the status, code and message of the answer."""

WRONG: list[Wrong] = [
    # Objects and paths.
    ("POST /sobjects/Nope__c", LAST, 404, "NOT_FOUND", "The requested resource does not exist"),
    ("PATCH /sobjects/Contact/" + NOBODY, LAST, 404, "NOT_FOUND", "The requested resource does not exist"),
    ("DELETE /sobjects/Contact/" + NOBODY, None, 404, "NOT_FOUND", "The requested resource does not exist"),
    ("GET /sobjects/Contact/nonsense", None, 404, "NOT_FOUND", "The requested resource does not exist"),
    ("DELETE /sobjects/Account/{contact}", None, 404, "NOT_FOUND", "The requested resource does not exist"),
    ("PUT " + CHANGE[6:], LAST, 405, "METHOD_NOT_ALLOWED", "HTTP Method 'PUT' not allowed. Allowed are GET,PATCH,DELETE"),
    (CONTACT, [], 400, "JSON_PARSER_ERROR", "The HTTP entity body is required, and it must be a JSON object"),
    # Fields that do not exist, or cannot be written.
    (CONTACT, LAST | {"Nope__c": 1}, 400, "INVALID_FIELD", "No such column 'Nope__c' on sobject of type Contact"),
    (CONTACT, LAST | {"Hidden__c": "x"}, 400, "INVALID_FIELD", "No such column 'Hidden__c' on sobject of type Contact"),
    (CHANGE, {"Hidden__c": "x"}, 400, "INVALID_FIELD", "No such column 'Hidden__c' on sobject of type Contact"),
    (CHANGE, {"Id": NOBODY}, 400, "INVALID_FIELD", "The Id field should not be specified in the sobject data."),
    (CONTACT, LAST | {"Id": NOBODY}, 400, "INVALID_FIELD", "cannot specify Id in an insert call"),
    (CHANGE, {"CreatedDate": "2026-01-01T00:00:00Z"}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", read_only("CreatedDate")),
    (CHANGE, {"SystemModstamp": None}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", read_only("SystemModstamp")),
    (CHANGE, {"Name": "x", "IsDeleted": True}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", read_only("Name", "IsDeleted")),
    (CONTACT, LAST | {"Uid__c": "1"}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", read_only("Uid__c")),
    ("PATCH /sobjects/Event/{event}", {"EventSubtype": "Event"}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", read_only("EventSubtype")),
    # Required fields.
    (CONTACT, {}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
    (CHANGE, {"LastName": None}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
    (CHANGE, {"LastName": " "}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
    ("POST /sobjects/Lead", {}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]"),
    ("POST /sobjects/Visit__c", {}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Needed__c]"),
    # Values.
    (CHANGE, {"Title": "x" * 129}, 400, "STRING_TOO_LONG", f"Title: data value too large: {'x' * 129} (max length=128)"),
    (CHANGE, {"Email": "nobody"}, 400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody"),
    (CHANGE, {"Score__c": 1000}, 400, "NUMBER_OUTSIDE_VALID_RANGE", "Contact.Score__c: value outside of valid range on numeric field: 1000.0"),
    (CHANGE, {"Score__c": 999.96}, 400, "NUMBER_OUTSIDE_VALID_RANGE", "Contact.Score__c: value outside of valid range on numeric field: 999.96"),
    (CHANGE, {"Birthdate": "0202-03-18"}, 400, "NUMBER_OUTSIDE_VALID_RANGE", "Birthdate: invalid date: 0202-03-18"),
    (CHANGE, {"Level__c": "Bronze"}, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Contact.Level__c: bad value for restricted picklist field: Bronze"),
    (CHANGE, {"Tags__c": "A;C"}, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Contact.Tags__c: bad value for restricted picklist field: C"),
    (CHANGE, {"Birthdate": "18.03.2026"}, 400, "JSON_PARSER_ERROR", "Cannot deserialize instance of date from VALUE_STRING value 18.03.2026 or request may be missing a required field at [line:1, column:1]"),
    (CHANGE, {"DoNotCall": "maybe"}, 400, "JSON_PARSER_ERROR", "Cannot deserialize instance of boolean from VALUE_STRING value maybe or request may be missing a required field at [line:1, column:1]"),
    # References.
    (CHANGE, {"AccountId": "nonsense"}, 400, "MALFORMED_ID", "Account ID: id value of incorrect type: nonsense"),
    (CHANGE, {"AccountId": "{lead}"}, 400, "MALFORMED_ID", "Account ID: id value of incorrect type: {lead}"),
    (CHANGE, {"ReportsToId": NOBODY}, 400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
    (CHANGE, {"OwnerId": "{gone}"}, 400, "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [{gone15}] as owner of contact"),
    ("POST /sobjects/Visit__c", {"Needed__c": "x", "Contact__c": "{lead}"}, 400, "MALFORMED_ID", "Visit__c.Contact__c: id value of incorrect type: {lead}"),
    # Uniqueness and external IDs.
    (CONTACT, LAST | {"Ext__c": "K1"}, 400, "DUPLICATE_VALUE", "duplicate value found: Ext__c duplicates value on record with id: {contact15}"),
    ("PATCH /sobjects/Contact/Title/x", LAST, 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Title"),
    ("PATCH /sobjects/Contact/Uid__c/x", LAST, 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Uid__c"),
    ("PATCH /sobjects/Contact/Hidden__c/x", LAST, 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Hidden__c"),
    ("PATCH /sobjects/Contact/Ext__c/k1", {"Ext__c": "k2"}, 400, "INVALID_FIELD", "The Ext__c field should not be specified in the sobject data."),
    ("PATCH /sobjects/Contact/Ext__c/new", {}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
    # Activities.
    (EVENT, {"Subject": "s"}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [DurationInMinutes, ActivityDateTime]"),
    (EVENT, {"StartDateTime": "2026-03-18T12:00:00Z"}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [DurationInMinutes]"),
    (EVENT, {"IsAllDayEvent": True}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [ActivityDate]"),
    (EVENT, TIMES | {"DurationInMinutes": -1}, 400, "FIELD_INTEGRITY_EXCEPTION", "Event duration can not be negative"),
    (EVENT, TIMES | {"DurationInMinutes": 20161}, 400, "FIELD_INTEGRITY_EXCEPTION", "Event duration can not be longer than 14 days"),
    (EVENT, TIMES | {"EndDateTime": "2026-03-18T14:00:00Z"}, 400, "FIELD_INTEGRITY_EXCEPTION", "Duration and End Date Time do not agree"),
    (EVENT, TIMES | {"ActivityDateTime": "2026-03-18T13:00:00Z"}, 400, "FIELD_INTEGRITY_EXCEPTION", "Activity Date Time and Start Date Time have to be the same"),
    (EVENT, TIMES | {"WhoId": "{account}"}, 400, "MALFORMED_ID", "Name ID: id value of incorrect type: {account}"),
    (EVENT, TIMES | {"WhatId": "{contact}"}, 400, "MALFORMED_ID", "Related To ID: id value of incorrect type: {contact}"),
    (EVENT, TIMES | {"WhoId": "{lead}", "WhatId": "{account}"}, 400, "FIELD_INTEGRITY_EXCEPTION", "Related To ID: an activity that is about a lead can't be related to anything else"),
    ("POST /sobjects/Task", {"Subject": "x" * 256}, 400, "STRING_TOO_LONG", f"Subject: data value too large: {'x' * 256} (max length=255)"),
    # Leads, campaigns, users.
    ("PATCH /sobjects/Lead/{converted}", {"Title": "x"}, 400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"),
    ("POST /sobjects/CampaignMember", {"CampaignId": "{campaign}", "ContactId": "{contact}"}, 400, "DUPLICATE_VALUE", "Already a campaign member."),
    ("POST /sobjects/CampaignMember", {"CampaignId": "{campaign}"}, 400, "FIELD_INTEGRITY_EXCEPTION", "A campaign member can't be neither a lead nor a contact"),
    ("POST /sobjects/CampaignMember", {"ContactId": "{contact}"}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [CampaignId]"),
    ("POST /sobjects/User", person("admin") | {"ProfileId": "{profile}"}, 400, "DUPLICATE_USERNAME", "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address)."),
    ("POST /sobjects/User", person("x") | {"ProfileId": "{contact}"}, 400, "MALFORMED_ID", "Profile ID: id value of incorrect type: {contact}"),
    ("DELETE /sobjects/User/{gone}", None, 400, "INVALID_TYPE_FOR_OPERATION", "entity type User does not support delete"),
    ("POST /sobjects/Profile", {"Name": "x"}, 400, "INVALID_TYPE_FOR_OPERATION", "entity type Profile does not support create"),
    ("POST /sobjects/PermissionSetAssignment", {"AssigneeId": "{admin}"}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [PermissionSetId]"),
    # Queries.
    ("GET /query?q=SELECT+Nope+FROM+Contact", None, 400, "INVALID_FIELD", "No such column 'Nope' on entity 'Contact'."),
    ("GET /query?q=SELECT+Hidden__c+FROM+Contact", None, 400, "INVALID_FIELD", "No such column 'Hidden__c' on entity 'Contact'."),
    ("GET /query?q=SELECT+Id+FROM+Nope", None, 400, "INVALID_TYPE", "sObject type 'Nope' is not supported."),
    ("GET /query?q=SELECT+Id+FROM+Contact+WHERE+Description='x'", None, 400, "INVALID_FIELD", "field 'Description' can not be filtered in a query call"),
    ("GET /query?q=SELECT+Id+FROM+Contact+WHERE+Score__c='1'", None, 400, "INVALID_FIELD", "value of filter criterion for field 'Score__c' must be of type double and should not be enclosed in quotes"),
    ("GET /query?q=SELECT+Id+FROM+Contact+LIMIT", None, 400, "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("GET /query", None, 400, "MALFORMED_QUERY", "A query string has to be specified"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[3]}-{wrong[0]}")
def test_an_invalid_call_gets_salesforces_answer_and_changes_nothing(world: World, wrong: Wrong) -> None:
    """An invalid call gets the same answer as in Salesforce, and the org is unchanged."""
    call, body, status, code, message = wrong
    method, _, path = world.filled(call).partition(" ")
    before = world.list_all()
    error = world.rest.error(method, path, **({} if body is None else {"json": world.filled(body)}))
    assert error[:2] == (status, code)
    expected = world.filled(message)
    # The message of an invalid query begins with the position.
    assert expected in error[2] if path.startswith("/query") else expected == error[2]
    assert world.list_all() == before


def test_the_table_has_enough_cases() -> None:
    assert len(WRONG) >= 60
    assert len({repr(wrong) for wrong in WRONG}) == len(WRONG)


def test_an_external_id_that_two_records_have_names_both(world: World) -> None:
    before = world.list_all()
    answer = world.rest("PATCH", "/sobjects/Contact/Twice__c/t", json={"LastName": "x"})
    assert answer.status_code == 300
    assert sorted(address[-18:] for address in answer.json()) == sorted([world.ids["contact"], world.ids["twin"]])
    assert world.list_all() == before


@pytest.mark.parametrize("all_or_none", [False, True])
def test_one_wrong_record_among_right_ones(world: World, all_or_none: bool) -> None:
    """Without allOrNone the valid records are stored; with allOrNone none is."""
    before = world.list_all()
    records = [
        {"attributes": {"type": "Contact"}, **values} for values in (LAST, {"LastName": "x", "Ext__c": "k1"}, LAST)
    ]
    answer = world.rest("POST", "/composite/sobjects", json={"allOrNone": all_or_none, "records": records}).json()
    codes = [entry["errors"][0]["statusCode"] if entry["errors"] else "" for entry in answer]
    rolled = "ALL_OR_NONE_OPERATION_ROLLED_BACK" if all_or_none else ""
    assert codes == [rolled, "DUPLICATE_VALUE", rolled]
    assert (world.list_all() == before) is all_or_none


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"attributes": {"type": "Nope"}}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"attributes": {}}, "INVALID_TYPE"),
        ({"attributes": {"type": "Contact"}, "Email": "x", "LastName": "x"}, "INVALID_EMAIL_ADDRESS"),
    ],
)
def test_wrong_records_in_a_collection(world: World, record: dict[str, Any], code: str) -> None:
    before = world.list_all()
    (answer,) = world.rest("POST", "/composite/sobjects", json={"records": [record]}).json()
    assert (answer["success"], answer["errors"][0]["statusCode"]) == (False, code)
    assert world.list_all() == before
