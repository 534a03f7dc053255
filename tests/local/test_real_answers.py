"""Answers of real orgs, recorded or documented by others, compared with the local org's REST API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.conftest import HandClock, Rest
from tests.waiting import until


def test_a_collection_needs_a_record(rest: Rest) -> None:
    """The expected answer was recorded from a real org."""
    answer = rest("POST", "/composite/sobjects", json={"allOrNone": False, "records": []})
    assert answer.status_code == 400
    assert answer.json() == [{"message": "At least 1 record is required", "errorCode": "REQUIRED_FIELD_MISSING"}]


def test_the_times_of_changes_are_whole_seconds(rest: Rest, clock: HandClock) -> None:
    """CreatedDate, LastModifiedDate and SystemModstamp of real orgs end in .000+0000."""
    clock.wait(milliseconds=123)
    record_id = rest("POST", "/sobjects/Contact", json={"LastName": "Stamp"}).json()["id"]
    row = rest("GET", f"/sobjects/Contact/{record_id}").json()
    for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        assert row[name].endswith(".000+0000")


def upsert(rest: Rest, field: str, value: object) -> dict[str, Any]:
    record = {"attributes": {"type": "Contact"}, field: value, "LastName": "Upserted"}
    body = {"allOrNone": False, "records": [record]}
    (result,) = rest("PATCH", f"/composite/sobjects/Contact/{field}", json=body).json()
    return result


def test_upserts_accept_fields_with_id_lookup(rest: Rest) -> None:
    """An upsert finds records by an external ID, or by a field with `idLookup`, such as Contact.Email."""
    first = upsert(rest, "Email", "lookup@example.com")
    assert (first["success"], first["created"]) == (True, True)
    second = upsert(rest, "Email", "lookup@example.com")
    assert (second["id"], second["created"]) == (first["id"], False)


def test_an_upsert_by_an_empty_id_creates_a_record(rest: Rest) -> None:
    """
    Without an external ID a record is created.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_upsert.htm
    """
    result = upsert(rest, "Id", None)
    assert (result["success"], result["created"]) == (True, True)


def test_required_fields_are_named_in_the_order_of_the_describe(rest: Rest) -> None:
    assert rest("POST", "/sobjects/Lead", json={}).json() == [
        {
            "message": "Required fields are missing: [LastName, Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName", "Company"],
        }
    ]


def test_record_counts(rest: Rest) -> None:
    """
    The numbers are approximate.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_record_count.htm
    """
    answer = rest("GET", "/limits/recordCount", params={"sObjects": "Account,Contact"}).json()
    assert [sobject["name"] for sobject in answer["sObjects"]] == ["Account", "Contact"]
    assert answer["sObjects"][0]["count"] == len(rest.rows("SELECT Id FROM Account"))


def test_a_describe_that_has_not_changed_is_not_sent_again(rest: Rest) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_conditional_requests.htm"""
    first = rest("GET", "/sobjects/Contact/describe")
    assert first.headers["ETag"]
    second = rest("GET", "/sobjects/Contact/describe", headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert (second.status_code, second.content) == (304, b"")
    before = rest("GET", "/sobjects/Contact/describe", headers={"If-Modified-Since": "Thu, 03 Sep 1998 21:35:07 GMT"})
    assert before.status_code == 200


@pytest.mark.parametrize(
    ("field", "key", "value"),
    [
        ("MailingCity", "defaultedOnCreate", False),
        ("Email", "idLookup", True),
        ("MailingAddress", "filterable", True),
        ("Email", "formulaTreatNullNumberAsZero", False),
    ],
)
def test_the_describe_of_a_field(rest: Rest, field: str, key: str, value: object) -> None:
    """The expected values are those in describes of real orgs in public projects."""
    fields = {
        described_field["name"]: described_field
        for described_field in rest("GET", "/sobjects/Contact/describe").json()["fields"]
    }
    assert fields[field][key] is value


def test_the_describe_of_an_object_has_every_key(rest: Rest) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm"""
    document = rest("GET", "/sobjects/Contact/describe").json()
    assert all(document[key] is True for key in ("undeletable", "mergeable", "searchable", "searchLayoutable"))
    assert {"compactLayoutable", "actionOverrides", "namedLayoutInfos", "networkScopeFieldName"} <= document.keys()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"LastName": ', "Unexpected end-of-input"),
        (b"{LastName: 1}", "Unexpected character ('L' (code 76)): was expecting double-quote to start field name"),
        (b'{"LastName" 1}', "Unexpected character ('1' (code 49)): was expecting a colon"),
        (b'{"LastName": x}', "Unexpected character ('x' (code 120)): expected a valid value"),
    ],
)
def test_wrong_json_is_refused_with_the_messages_of_jackson(rest: Rest, body: bytes, message: str) -> None:
    """Salesforce uses this parser: https://github.com/FasterXML/jackson-core"""
    answer = rest("POST", "/sobjects/Contact", data=body, headers={"Content-Type": "application/json"})
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert message in error["message"]
    assert "at [line:1, column:" in error["message"]


def test_a_wrong_date_in_a_bulk_job(rest: Rest) -> None:
    """The expected message was recorded from real orgs in threads about Bulk API 2.0."""
    job = rest("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert", "lineEnding": "LF"}).json()[
        "id"
    ]
    rest(
        "PUT", f"/jobs/ingest/{job}/batches", data=b"LastName,Birthdate\nA,soon\n", headers={"Content-Type": "text/csv"}
    )
    rest("PATCH", f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    until(lambda: rest("GET", f"/jobs/ingest/{job}").json()["state"] == "JobComplete")
    text = rest("GET", f"/jobs/ingest/{job}/failedResults").text
    assert (
        "INVALID_FIELD:Failed to deserialize field at col 1. Due to, 'soon' is not a valid value for the type xsd:date"
        in text
    )


def test_a_deleted_record_is_distinguished_from_one_that_never_existed(rest: Rest) -> None:
    """The status code is documented in the SOAP API Developer Guide, and its message is in recorded answers of real orgs."""
    record_id = rest("POST", "/sobjects/Contact", json={"LastName": "Gone"}).json()["id"]
    assert rest("DELETE", f"/sobjects/Contact/{record_id}").status_code == 204
    errors = [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]
    for answer in (
        rest("PATCH", f"/sobjects/Contact/{record_id}", json={"LastName": "Back"}),
        rest("DELETE", f"/sobjects/Contact/{record_id}"),
    ):
        assert (answer.status_code, answer.json()) == (404, errors)
    assert rest("GET", f"/sobjects/Contact/{record_id}").status_code == 404
    (result,) = rest("DELETE", "/composite/sobjects", params={"ids": record_id}).json()
    assert result["errors"] == [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]


def test_query_all_returns_deleted_records_too(rest: Rest) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_queryall.htm"""
    record_id = rest("POST", "/sobjects/Contact", json={"LastName": "Gone"}).json()["id"]
    rest("DELETE", f"/sobjects/Contact/{record_id}")
    query = {"q": "SELECT Id, IsDeleted FROM Contact WHERE LastName = 'Gone'"}
    assert rest("GET", "/query", params=query).json()["totalSize"] == 0
    (row,) = rest("GET", "/queryAll", params=query).json()["records"]
    assert (row["Id"], row["IsDeleted"]) == (record_id, True)
