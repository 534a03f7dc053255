from __future__ import annotations

from typing import Any

import pytest

from sfcode.local.errors import Ambiguous, ApiError
from sfcode.local.record_writer import RecordWriter
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import Rows
from sfcode.metadata.component import Component

INTEGRATION = "Minimum Access - API Only Integrations"


def refused(code: str, message: str, fields: list[str] | None, call: Any, *args: Any) -> None:
    with pytest.raises(ApiError) as error:
        call(*args)
    assert (error.value.code, error.value.message, error.value.fields) == (code, message, fields)


def deploy(writer: RecordWriter, kind: str, full_name: str, **body: Any) -> str:
    outcome = writer.tx.components.put(Component(kind, full_name, body), user_id=writer.user_id, now=writer.now)
    return outcome.id


def fresh(writer: RecordWriter) -> RecordWriter:
    """Return a writer that sees the components which were deployed meanwhile."""
    return RecordWriter(writer.tx, Catalog(writer.tx), writer.user_id, writer.now)


def row_id(writer: RecordWriter, name: str, field: str, value: str) -> str:
    return next(str(row["Id"]) for row in Rows(writer.tx).all(name) if row[field] == value)


def user(writer: RecordWriter, **more: Any) -> dict[str, Any]:
    profile = row_id(writer, "Profile", "Name", more.pop("profile", INTEGRATION))
    return {
        "Username": "appcues.integration@northwind.example",
        "LastName": "Appcues Integration",
        "Alias": "appcues",
        "Email": "admin@northwind.example",
        "ProfileId": profile,
        "TimeZoneSidKey": "America/Los_Angeles",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    } | more


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        ({"LastName": "  "}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        ({"LastName": "x", "Nope__c": 1}, "INVALID_FIELD", "No such column 'Nope__c' on sobject of type Contact", None),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", f"Last Name: data value too large: {'x' * 81} (max length=80)", ["LastName"]),
        ({"LastName": "x", "Email": "nope"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nope", ["Email"]),
        ({"LastName": "x", "AccountId": "abc"}, "MALFORMED_ID", "Account ID: id value of incorrect type: abc", ["AccountId"]),
        ({"LastName": "x", "AccountId": "003000000000001AAA"}, "MALFORMED_ID", "Account ID: id value of incorrect type: 003000000000001AAA", ["AccountId"]),
        ({"LastName": "x", "AccountId": "001000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ["AccountId"]),
        ({"LastName": "x", "Id": "003000000000001AAA"}, "INVALID_FIELD", "cannot specify Id in an insert call", ["Id"]),
        ({"LastName": "x", "Product_User_Id__c": 1e18}, "NUMBER_OUTSIDE_VALID_RANGE", "Product User Id: value outside of valid range on numeric field: 1e+18", ["Product_User_Id__c"]),
        ({"LastName": "x", "Account": {"Name": "Bluefin Logistics"}}, "INVALID_FIELD", "Account: an external id field is needed", None),
    ],
)  # fmt: skip
def test_invalid_contacts_are_refused(
    writer: RecordWriter, values: dict[str, Any], code: str, message: str, fields: list[str] | None
) -> None:
    """An invalid record is refused with Salesforce's message, and nothing is stored."""
    before = writer.tx.records.count("Contact")
    refused(code, message, fields, writer.create, "Contact", values)
    assert writer.tx.records.count("Contact") == before


@pytest.mark.parametrize(
    ("value", "error_text"),
    [
        ({"DoNotCall": "maybe"}, "instance of boolean from VALUE_STRING value maybe"),
        ({"Product_User_Id__c": "seven"}, "instance of double from VALUE_STRING value seven"),
        ({"Product_User_Id__c": True}, "instance of double from VALUE_TRUE value true"),
        ({"Birthdate": "18.03.2026"}, "instance of date from VALUE_STRING value 18.03.2026"),
        ({"Last_Login__c": "2026-03-18"}, "instance of datetime from VALUE_STRING value 2026-03-18"),
        ({"Email": ["a"]}, "instance of email from START_ARRAY"),
    ],
)
def test_values_of_the_wrong_type_are_refused(writer: RecordWriter, value: dict[str, Any], error_text: str) -> None:
    """A value that does not have the type of the field is an error of the JSON."""
    with pytest.raises(ApiError) as error:
        writer.create("Contact", {"LastName": "x"} | value)
    assert error.value.code == "JSON_PARSER_ERROR"
    assert error_text in error.value.message


def test_values_are_stored_as_the_api_shows_them(writer: RecordWriter) -> None:
    values = {
        "LastName": " Kim ",
        "FirstName": "Ji",
        "Last_Login__c": "2026-03-18T14:00:00+02:00",
        "Product_User_Id__c": "7",
        "DoNotCall": "true",
        "Title": "",
    }
    record = writer.tx.records.get("Contact", writer.create("Contact", values))
    assert record is not None
    assert {name: record[name] for name in (*values, "Name")} == {
        "LastName": "Kim",
        "FirstName": "Ji",
        "Last_Login__c": "2026-03-18T12:00:00.000+0000",
        "Product_User_Id__c": 7.0,
        "DoNotCall": True,
        "Title": None,
        "Name": "Ji Kim",
    }
    assert record["OwnerId"] == record["CreatedById"] == writer.user_id


def test_fields_that_only_the_org_writes_cannot_be_written(writer: RecordWriter) -> None:
    message = (
        "Unable to create/update fields: CreatedDate, Name. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )
    values = {"LastName": "x", "CreatedDate": "2026-01-01T00:00:00Z", "Name": "x"}
    refused("INVALID_FIELD_FOR_INSERT_UPDATE", message, ["CreatedDate", "Name"], writer.create, "Contact", values)


def test_a_deployed_formula_field_cannot_be_written(writer: RecordWriter) -> None:
    deploy(writer, "CustomField", "Contact.Uid__c", type="Text", label="Uid", formula="TEXT(Product_User_Id__c)")
    with pytest.raises(ApiError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        fresh(writer).create("Contact", {"LastName": "x", "Uid__c": "1"})


def test_field_names_are_found_whatever_their_case(writer: RecordWriter) -> None:
    record = writer.tx.records.get("Contact", writer.create("contact", {"lastname": "Kim", "PLAN__C": "free"}))
    assert record is not None
    assert (record["LastName"], record["Plan__c"]) == ("Kim", "free")


def test_a_unique_external_id_is_unique_and_finds_its_record(writer: RecordWriter) -> None:
    deploy(writer, "CustomField", "Activity.Ext__c", type="Text", length=80, label="Ext", externalId=True, unique=True)
    write = fresh(writer)
    values = {"Subject": "s", "StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5}
    first, created = write.upsert("Event", "Ext__c", "k1", values)
    assert created
    assert write.upsert("Event", "ext__c", "K1", {"Subject": "again"}) == (first, False)
    refused(
        "DUPLICATE_VALUE",
        f"duplicate value found: Ext__c duplicates value on record with id: {first[:15]}",
        [],
        write.create,
        "Event",
        values | {"Ext__c": "K1"},
    )


def test_an_upsert_needs_an_external_id_and_exactly_one_record(writer: RecordWriter) -> None:
    message = "Provided external ID field does not exist or is not accessible: Title"
    refused("NOT_FOUND", message, None, writer.upsert, "Contact", "Title", "x", {})
    deploy(writer, "CustomField", "Contact.Ext__c", type="Text", length=80, label="Ext", externalId=True)
    write = fresh(writer)
    contact_ids = [write.create("Contact", {"LastName": "x", "Ext__c": "k"}) for _ in range(2)]
    with pytest.raises(Ambiguous) as error:
        write.upsert("Contact", "Ext__c", "k", {"LastName": "y"})
    assert error.value.record_ids == contact_ids
    message = "The Ext__c field should not be specified in the sobject data."
    refused("INVALID_FIELD", message, None, write.upsert, "Contact", "Ext__c", "k", {"ext__c": "k"})


def test_a_parent_can_be_named_by_its_external_id(writer: RecordWriter) -> None:
    deploy(writer, "CustomField", "Account.Ext__c", type="Text", length=80, label="Ext", externalId=True)
    write = fresh(writer)
    account = write.create("Account", {"Name": "A", "Ext__c": "a-1"})
    contact = write.tx.records.get("Contact", write.create("Contact", {"LastName": "x", "Account": {"Ext__c": "A-1"}}))
    assert contact is not None
    assert contact["AccountId"] == account
    message = "Foreign key external ID: a-2 not found for field Ext__c in entity Account"
    refused("INVALID_FIELD", message, [], write.create, "Contact", {"LastName": "x", "Account": {"Ext__c": "a-2"}})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 30}, ("2026-03-18T12:30:00.000+0000", 30)),
        ({"ActivityDateTime": "2026-03-18T12:00:00Z", "EndDateTime": "2026-03-18T13:00:00Z"}, ("2026-03-18T13:00:00.000+0000", 60)),
        ({"ActivityDate": "2026-03-18", "IsAllDayEvent": True}, ("2026-03-18T00:00:00.000+0000", 1440)),
    ],
)  # fmt: skip
def test_the_end_of_an_event_is_computed(
    writer: RecordWriter, values: dict[str, Any], expected: tuple[str, int]
) -> None:
    """The end of an event is computed from its start and duration, or the duration from start and end."""
    record = writer.tx.records.get("Event", writer.create("Event", {"Subject": "s"} | values))
    assert record is not None
    assert (record["EndDateTime"], record["DurationInMinutes"]) == expected
    assert str(record["StartDateTime"]).startswith("2026-03-18")


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"Subject": "s"}, ["DurationInMinutes", "ActivityDateTime"]),
        ({"StartDateTime": "2026-03-18T12:00:00Z"}, ["DurationInMinutes"]),
        ({"DurationInMinutes": 5}, ["ActivityDateTime"]),
        ({"IsAllDayEvent": True}, ["ActivityDate"]),
    ],
)
def test_an_event_without_a_time_is_refused(writer: RecordWriter, values: dict[str, Any], missing: list[str]) -> None:
    """An event needs a start, and a duration or an end."""
    message = f"Required fields are missing: [{', '.join(missing)}]"
    refused("REQUIRED_FIELD_MISSING", message, missing, writer.create, "Event", values)


def test_an_event_is_about_a_contact_or_a_lead_only(writer: RecordWriter) -> None:
    event = {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5}
    for name in ("Contact", "Lead"):
        person = str(writer.tx.records.list_all(name)[0]["Id"])
        assert writer.create("Event", event | {"WhoId": person})
    account = str(writer.tx.records.list_all("Account")[0]["Id"])
    refused(
        "MALFORMED_ID",
        f"Name ID: id value of incorrect type: {account}",
        ["WhoId"],
        writer.create,
        "Event",
        event | {"WhoId": account},
    )


def test_a_converted_lead_cannot_be_updated(writer: RecordWriter) -> None:
    lead = writer.create("Lead", {"LastName": "x", "Company": "y"})
    writer.tx.records.update("Lead", lead, {"IsConverted": True}, user_id="u", now=writer.now)
    refused(
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
        [],
        writer.update,
        "Lead",
        lead,
        {"Title": "z"},
    )


def test_a_deleted_account_is_deleted_with_its_contacts_and_removed_from_events(writer: RecordWriter) -> None:
    account = writer.create("Account", {"Name": "A"})
    contact = writer.create("Contact", {"LastName": "x", "AccountId": account})
    event = writer.create(
        "Event", {"StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 5, "WhatId": account, "WhoId": contact}
    )
    writer.delete("Account", account)
    assert writer.tx.records.get("Contact", contact) is None
    event_row = writer.tx.records.get("Event", event)
    assert event_row is not None
    assert (event_row["WhatId"], event_row["WhoId"]) == (None, None)


def test_records_of_a_deployed_object(writer: RecordWriter) -> None:
    deploy(
        writer,
        "CustomObject",
        "Survey__c",
        label="Survey",
        pluralLabel="Surveys",
        nameField={"type": "Text", "label": "Survey"},
    )
    deploy(
        writer,
        "CustomField",
        "Survey__c.Contact__c",
        type="Lookup",
        label="Contact",
        referenceTo="Contact",
        relationshipName="Surveys",
    )
    deploy(
        writer,
        "CustomField",
        "Survey__c.Kind__c",
        type="Picklist",
        label="Kind",
        valueSet={"restricted": True, "valueSetDefinition": {"value": [{"fullName": "NPS"}]}},
    )
    write = fresh(writer)
    contact = str(write.tx.records.list_all("Contact")[0]["Id"])
    survey = write.create("Survey__c", {"Contact__c": contact, "Kind__c": "NPS"})
    assert survey.startswith("a00")
    record = write.tx.records.get("Survey__c", survey)
    assert record is not None
    assert record["Name"] == survey[:15]
    refused(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Kind: bad value for restricted picklist field: CSAT",
        ["Kind__c"],
        write.create,
        "Survey__c",
        {"Kind__c": "CSAT"},
    )
    child = write.catalog.child("Contact", "Surveys__r")
    assert child is not None
    assert child.field == "Contact__c"


def test_an_integration_user_is_created_with_all_required_fields(writer: RecordWriter) -> None:
    record = writer.tx.records.get("User", writer.create("User", user(writer)))
    assert record is not None
    assert (record["Name"], record["IsActive"], record["CommunityNickname"]) == (
        "Appcues Integration",
        True,
        "appcues.integration",
    )


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        ({"Username": "appcues"}, "FIELD_INTEGRITY_EXCEPTION", "Username must be in the form of an email address (for example, john@acme.com): Username", ["Username"]),
        ({"Username": "ADMIN@northwind.example"}, "DUPLICATE_USERNAME", "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match the user's email address).", ["Username"]),
        ({"Alias": "ninechars"}, "STRING_TOO_LONG", "Alias: data value too large: ninechars (max length=8)", ["Alias"]),
        ({"TimeZoneSidKey": "Berlin time"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Time Zone: bad value for restricted picklist field: Berlin time", ["TimeZoneSidKey"]),
        ({"LanguageLocaleKey": "english"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Language: bad value for restricted picklist field: english", ["LanguageLocaleKey"]),
        ({"EmailEncodingKey": None, "LocaleSidKey": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [EmailEncodingKey, LocaleSidKey]", ["EmailEncodingKey", "LocaleSidKey"]),
        ({"ProfileId": "00e000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ["ProfileId"]),
    ],
)  # fmt: skip
def test_invalid_users_are_refused(
    writer: RecordWriter, values: dict[str, Any], code: str, message: str, fields: list[str]
) -> None:
    """A user needs a unique username in the form of an e-mail address, and all fields that Salesforce requires."""
    refused(code, message, fields, writer.create, "User", user(writer) | values)


def test_a_license_has_limited_seats_and_a_deactivated_user_frees_one(writer: RecordWriter) -> None:
    user_ids = [
        writer.create("User", user(writer, Username=f"u{number}@x.example", CommunityNickname=f"u{number}"))
        for number in range(5)
    ]
    sixth = user(writer, Username="u6@x.example")
    refused("LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", ["ProfileId"], writer.create, "User", sixth)
    writer.update("User", user_ids[0], {"IsActive": False})
    assert writer.create("User", sixth)
    refused(
        "LICENSE_LIMIT_EXCEEDED",
        "License Limit Exceeded",
        ["ProfileId"],
        writer.update,
        "User",
        user_ids[0],
        {"IsActive": True},
    )


def test_a_user_cannot_be_deleted(writer: RecordWriter) -> None:
    user_id = writer.create("User", user(writer))
    refused(
        "INVALID_TYPE_FOR_OPERATION", "entity type User does not support delete", None, writer.delete, "User", user_id
    )


@pytest.fixture
def permission_set(writer: RecordWriter) -> str:
    return deploy(
        writer,
        "PermissionSet",
        "Appcues_Integration",
        label="Appcues Integration",
        objectPermissions={"Contact": {"allowRead": True, "allowEdit": False}, "Account": {"allowRead": True}},
    )


def test_an_integration_user_needs_the_permission_set_license_first(writer: RecordWriter, permission_set: str) -> None:
    assignee = writer.create("User", user(writer))
    assignment = {"AssigneeId": assignee, "PermissionSetId": permission_set}
    message = (
        'Can\'t assign permission set "Appcues Integration" to user "Appcues Integration". '
        "The user license doesn't allow the permission: Read Accounts"
    )
    refused(
        "FIELD_INTEGRITY_EXCEPTION", message, ["PermissionSetId"], writer.create, "PermissionSetAssignment", assignment
    )
    license = row_id(writer, "PermissionSetLicense", "DeveloperName", "SalesforceAPIIntegrationPsl")
    license_assignment = writer.create(
        "PermissionSetLicenseAssign", {"AssigneeId": assignee, "PermissionSetLicenseId": license}
    )
    assert writer.create("PermissionSetAssignment", assignment).startswith("0Pa")
    assert license_assignment.startswith("2LA")
    with pytest.raises(ApiError, match="Read Accounts"), writer.tx.savepoint():
        writer.delete("PermissionSetLicenseAssign", license_assignment)
    assert writer.tx.records.get("PermissionSetLicenseAssign", license_assignment) is not None


def test_a_permission_set_is_assigned_once(writer: RecordWriter, permission_set: str) -> None:
    assignment = {"AssigneeId": writer.user_id, "PermissionSetId": permission_set}
    first = writer.create("PermissionSetAssignment", assignment)
    message = (
        f"Duplicate PermissionSetAssignment. Assignee: {writer.user_id[:15]}; Permission Set: {permission_set[:15]}"
    )
    refused(
        "DUPLICATE_VALUE",
        message,
        ["AssigneeId", "PermissionSetId"],
        writer.create,
        "PermissionSetAssignment",
        assignment,
    )
    with pytest.raises(ApiError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        writer.update("PermissionSetAssignment", first, {"PermissionSetId": permission_set})
    writer.delete("PermissionSetAssignment", first)
    assert writer.create("PermissionSetAssignment", assignment) != first


def test_a_permission_set_license_is_assigned_once_and_only_with_free_seats(writer: RecordWriter) -> None:
    license = row_id(writer, "PermissionSetLicense", "DeveloperName", "SalesforceAPIIntegrationPsl")
    users = [
        writer.create("User", user(writer, profile="Standard User", Username=f"u{number}@x.example"))
        for number in range(6)
    ]
    for assignee in users[:5]:
        values = {"AssigneeId": assignee, "PermissionSetLicenseId": license}
        assert writer.create("PermissionSetLicenseAssign", values)
    message = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
    refused("DUPLICATE_VALUE", message, [], writer.create, "PermissionSetLicenseAssign", values)
    sixth = {"AssigneeId": users[5], "PermissionSetLicenseId": license}
    refused(
        "LICENSE_LIMIT_EXCEEDED",
        "License Limit Exceeded",
        ["PermissionSetLicenseId"],
        writer.create,
        "PermissionSetLicenseAssign",
        sixth,
    )


def test_rows_that_are_metadata_are_not_written_as_records(writer: RecordWriter) -> None:
    message = "entity type PermissionSet does not support create"
    refused("INVALID_TYPE_FOR_OPERATION", message, None, writer.create, "PermissionSet", {"Name": "X"})
