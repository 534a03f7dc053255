from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from sfcode.errors import SfcodeError
from sfcode.local import LocalOrg, serve
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.conftest import open_fields
from tests.waiting import PATIENCE, until

DATA = "/services/data/v62.0"


def test_versions_are_listed_without_a_session(org: LocalOrg) -> None:
    versions = requests.get(f"{org.url}/services/data", timeout=PATIENCE).json()
    assert versions[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert versions[-2]["label"] == "Summer '26"


def test_a_path_may_begin_with_two_slashes(rest: Any) -> None:
    """An instance URL that ends in a slash results in such paths; two slashes inside a path are a different path."""
    base = f"{rest.org.url}//services/data"
    assert rest.session.get(f"{base}/v62.0/limits").status_code == 200
    assert rest.session.get(f"{base}//v62.0/limits").status_code == 404


def test_the_resource_map_has_the_identity_url_of_the_user(rest: Any) -> None:
    resources = rest("GET", "").json()
    user_id = rest.value("SELECT Id FROM User WHERE Username = 'admin@northwind.example'")
    assert resources["identity"] == f"{rest.org.url}/id/{rest.org.org_id}/{user_id}"
    assert resources["query"] == f"{DATA}/query"
    assert rest.session.get(resources["identity"]).json()["username"] == rest.org.username


def test_userinfo_returns_the_signed_in_user(rest: Any) -> None:
    info = rest.session.get(f"{rest.org.url}/services/oauth2/userinfo").json()
    assert info["preferred_username"] == "admin@northwind.example"
    assert info["organization_id"] == rest.org.org_id
    assert info["sub"].endswith(info["user_id"])


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc"])
def test_a_call_without_a_session_is_refused(org: LocalOrg, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{org.url}{DATA}/sobjects", headers=headers, timeout=PATIENCE)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_a_deactivated_user_has_no_session(rest: Any) -> None:
    user_id = rest.value("SELECT Id FROM User WHERE Username = 'admin@northwind.example'")
    assert rest("PATCH", f"/sobjects/User/{user_id}", json={"IsActive": False}).status_code == 204
    assert rest("GET", "/sobjects").status_code == 401


def test_a_record_from_beginning_to_end(rest: Any) -> None:
    record_id = rest.create("Contact", LastName="Kim", MailingCity="Ulm")
    path = f"/sobjects/Contact/{record_id}"
    assert rest("PATCH", path, json={"FirstName": "Ji"}).status_code == 204
    record = rest("GET", path[:-3], params={"fields": "Id,Name,MailingAddress,IsDeleted"}).json()
    assert record == {
        "attributes": {"type": "Contact", "url": f"{DATA}{path}"},
        "Id": record_id,
        "Name": "Ji Kim",
        "MailingAddress": {
            "city": "Ulm",
            "country": None,
            "geocodeAccuracy": None,
            "latitude": None,
            "longitude": None,
            "postalCode": None,
            "state": None,
            "street": None,
        },
        "IsDeleted": False,
    }
    assert "SystemModstamp" in rest("GET", path).json()
    assert rest("DELETE", path).status_code == 204
    assert rest.error("GET", path) == (404, "NOT_FOUND", "The requested resource does not exist", None)


def test_every_change_moves_the_modification_stamp(rest: Any, clock: Any) -> None:
    record_id = rest.create("Contact", LastName="Kim")
    clock.wait(minutes=5)
    rest("PATCH", f"/sobjects/Contact/{record_id}", json={"Title": "x"})
    record = rest("GET", f"/sobjects/Contact/{record_id}").json()
    assert (record["CreatedDate"], record["SystemModstamp"]) == (
        "2026-03-18T12:00:00.000+0000",
        "2026-03-18T12:05:00.000+0000",
    )


@pytest.mark.parametrize(
    ("method", "path", "more", "expected"),
    [
        ("POST", "/sobjects/Contact", {"json": {}}, (400, "REQUIRED_FIELD_MISSING")),
        ("POST", "/sobjects/Contact", {"data": "{"}, (400, "JSON_PARSER_ERROR")),
        ("POST", "/sobjects/Contact", {"json": []}, (400, "JSON_PARSER_ERROR")),
        ("POST", "/sobjects/Nope", {"json": {}}, (404, "NOT_FOUND")),
        ("GET", "/sobjects/Nope/describe", {}, (404, "NOT_FOUND")),
        ("GET", "/sobjects/Contact/003000000000001AAA", {}, (404, "NOT_FOUND")),
        ("PATCH", "/sobjects/Contact/nonsense", {"json": {"LastName": "x"}}, (404, "NOT_FOUND")),
        ("PUT", "/sobjects/Contact", {}, (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/nothing/here", {}, (404, "NOT_FOUND")),
        ("GET", "/query", {}, (400, "MALFORMED_QUERY")),
        ("GET", "/query", {"params": {"q": "SELECT"}}, (400, "MALFORMED_QUERY")),
        ("GET", "/query/0r8000000000001-200", {}, (400, "INVALID_QUERY_LOCATOR")),
        ("PATCH", "/sobjects/Contact/Title/x", {"json": {"LastName": "x"}}, (404, "NOT_FOUND")),
    ],
)
def test_invalid_calls_are_refused_with_salesforces_codes(
    rest: Any, method: str, path: str, more: dict[str, Any], expected: tuple[int, str]
) -> None:
    """An invalid call is answered with Salesforce's status and error code."""
    assert rest.error(method, path, **more)[:2] == expected


@pytest.mark.parametrize(("version", "status"), [("69.0", 404), ("30.0", 410), ("x", 404), ("51.0", 200)])
def test_only_supported_api_versions_are_served(rest: Any, version: str, status: int) -> None:
    """Future and retired versions are refused."""
    rest.version = version
    assert rest("GET", "/limits").status_code == status


def test_a_chunked_body_is_read(rest: Any) -> None:
    body = (part for part in (b'{"LastName":', b' "Chunked"}'))
    assert (
        rest("POST", "/sobjects/Contact/", data=body, headers={"Content-Type": "application/json"}).status_code == 201
    )


def test_a_post_with_the_method_parameter_is_a_patch(rest: Any) -> None:
    record_id = rest.create("Contact", LastName="Kim")
    answer = rest("POST", f"/sobjects/Contact/{record_id}?_HttpMethod=PATCH", json={"Title": "x"})
    assert answer.status_code == 204
    assert rest.value(f"SELECT Title FROM Contact WHERE Id = '{record_id}'") == "x"


def test_a_describe_returns_fields_and_child_relationships(rest: Any) -> None:
    described = rest("GET", "/sobjects/contact/describe").json()
    fields = {field["name"]: field for field in described["fields"]}
    assert described["name"] == "Contact"
    assert described["keyPrefix"] == "003"
    assert (fields["LastName"]["nillable"], fields["LastName"]["permissionable"]) == (False, False)
    assert (fields["Name"]["createable"], fields["Name"]["nameField"]) == (False, True)
    custom = fields["Product_User_Id__c"]
    assert (custom["type"], custom["precision"], custom["custom"], custom["permissionable"]) == (
        "double",
        18,
        True,
        True,
    )
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert fields["AccountId"]["relationshipName"] == "Account"
    assert {value["value"] for value in fields["LeadSource"]["picklistValues"]} >= {"Web", "Other"}
    children = {child["relationshipName"]: child for child in described["childRelationships"]}
    assert (children["Events"]["childSObject"], children["Events"]["field"]) == ("Event", "WhoId")


def test_all_objects_are_listed(rest: Any) -> None:
    listed = {sobject["name"] for sobject in rest("GET", "/sobjects").json()["sobjects"]}
    assert {"Account", "Contact", "Event", "Lead", "Organization", "PermissionSetAssignment", "User"} <= listed
    assert "Activity" not in listed


def test_a_long_result_is_returned_in_pages(rest: Any) -> None:
    for start in range(0, 400, 200):
        records = [{"attributes": {"type": "Lead"}, "LastName": f"L{start + n}", "Company": "C"} for n in range(200)]
        assert all(
            answer_part["success"]
            for answer_part in rest("POST", "/composite/sobjects", json={"records": records}).json()
        )
    query = {"q": "SELECT Id FROM Lead WHERE Company = 'C'"}
    first = rest("GET", "/query", params=query, headers={"Sforce-Query-Options": "batchSize=250"}).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (400, False, 250)
    second = rest.session.get(rest.org.url + first["nextRecordsUrl"]).json()
    assert (second["totalSize"], second["done"], len(second["records"])) == (400, True, 150)
    assert len({row["Id"] for row in first["records"] + second["records"]}) == 400


def test_the_columns_of_a_query_are_returned(rest: Any) -> None:
    params = {"q": "SELECT Id, Account.Name, (SELECT Id FROM Events) FROM Contact", "columns": "true"}
    answer = rest("GET", "/query", params=params).json()
    assert answer["entityName"] == "Contact"
    names = [
        (column["columnName"], [inner["columnName"] for inner in column["joinColumns"]])
        for column in answer["columnMetadata"]
    ]
    assert names == [("Id", []), ("Account", ["Name"]), ("Events", ["Id"])]


def contact(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}, **values}


def test_a_collection_stores_or_refuses_each_record_on_its_own(rest: Any) -> None:
    records = [contact(LastName="a"), contact(), {"LastName": "b"}]
    answers = rest("POST", "/composite/sobjects", json={"allOrNone": False, "records": records}).json()
    assert [answer["success"] for answer in answers] == [True, False, False]
    assert answers[1]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"],
        }
    ]
    assert rest.rows("SELECT Id FROM Contact WHERE LastName = 'a'")[0]["Id"] == answers[0]["id"]


def test_a_collection_with_all_or_none_stores_nothing_if_one_record_fails(rest: Any) -> None:
    records = [contact(LastName="a"), contact()]
    answers = rest("POST", "/composite/sobjects", json={"allOrNone": True, "records": records}).json()
    assert [answer["errors"][0]["statusCode"] for answer in answers] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert rest.rows("SELECT Id FROM Contact WHERE LastName = 'a'") == []


def test_collections_change_and_delete(rest: Any) -> None:
    contact_ids = [rest.create("Contact", LastName=name) for name in "ab"]
    changes = [contact(id=entry, Title="T") for entry in contact_ids] + [
        contact(id="003000000000001AAA", Title="T"),
        contact(Title="T"),
    ]
    answers = rest("PATCH", "/composite/sobjects", json={"records": changes}).json()
    assert [entry["success"] for entry in answers] == [True, True, False, False]
    assert [entry["errors"][0]["statusCode"] for entry in answers[2:]] == [
        "INVALID_CROSS_REFERENCE_KEY",
        "MISSING_ARGUMENT",
    ]
    selection = {"ids": [*contact_ids, "003000000000001AAA"], "fields": ["Title"]}
    titles = rest("POST", "/composite/sobjects/Contact", json=selection).json()
    assert [entry and entry["Title"] for entry in titles] == ["T", "T", None]
    deletions = rest("DELETE", "/composite/sobjects", params={"ids": ",".join(contact_ids), "allOrNone": "true"}).json()
    assert deletions == [{"id": entry, "success": True, "errors": []} for entry in contact_ids]


def test_a_collection_takes_200_records_at_most(rest: Any) -> None:
    records = [contact(LastName="a")] * 201
    assert rest.error("POST", "/composite/sobjects", json={"records": records})[1] == "EXCEEDED_ID_LIMIT"


def test_events_are_upserted_by_a_deployed_external_id(rest: Any, state: Path) -> None:
    field = Component(
        "CustomField", "Activity.Ext__c", {"type": "Text", "length": 80, "externalId": True, "unique": True}
    )
    with Store(state / "org.db") as store, store.transaction() as tx:
        tx.components.put(field, user_id="u", now=datetime.now(UTC))
        open_fields(tx, "Event.Ext__c")
    event = {"attributes": {"type": "Event"}, "StartDateTime": "2026-03-18T12:00:00Z", "DurationInMinutes": 1}
    records = [event | {"Ext__c": key} for key in ("a", "b", "a")]
    answers = rest("PATCH", "/composite/sobjects/Event/Ext__c", json={"records": records}).json()
    assert [answer["created"] for answer in answers] == [True, True, False]
    assert answers[0]["id"] == answers[2]["id"]
    response = rest("PATCH", "/sobjects/Event/Ext__c/a%2Fb", json=event)
    assert (response.status_code, response.json()["created"]) == (201, True)
    assert rest("GET", "/sobjects/Event/Ext__c/a%2Fb").json()["Ext__c"] == "a/b"
    assert rest("DELETE", "/sobjects/Event/Ext__c/a%2Fb").status_code == 204
    assert rest("PATCH", "/sobjects/Event/Ext__c/a", json={"Subject": "s"}).json()["created"] is False


def test_a_web_page_cannot_reach_the_org_by_a_name_of_its_own(rest: Any) -> None:
    assert rest("GET", "/sobjects", headers={"Host": "evil.example"}).status_code == 403
    port = rest.org.url.rpartition(":")[2]
    assert rest("GET", "/sobjects", headers={"Host": f"localhost:{port}"}).status_code == 200


def test_answers_do_not_wait_for_delayed_acknowledgments(rest: Any) -> None:
    def once() -> float:
        began = time.perf_counter()
        rest("GET", "/limits")
        return time.perf_counter() - began

    once()
    # A delayed response takes 0.04 s. The median is taken, since a busy machine delays some responses, and repeated
    # until it is below.
    until(lambda: statistics.median(once() for _ in range(9)) < 0.035)


@pytest.fixture
def take_ports() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_refused_with_its_number(state: Path, take_ports: int) -> None:
    with pytest.raises(SfcodeError, match=f"port {take_ports} of 127.0.0.1"), serve(state, port=take_ports):
        pass


def test_the_state_outlives_the_server_and_keeps_its_sign_in(state: Path) -> None:
    def call(org: LocalOrg, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {org.access_token}"}
        return requests.request(method, f"{org.url}{DATA}{path}", headers=headers, timeout=PATIENCE, **more)

    with serve(state) as first:
        record_id = call(first, "POST", "/sobjects/Contact", json={"LastName": "Kim"}).json()["id"]
    with serve(state) as second, serve(state) as third:
        assert (second.org_id, second.access_token) == (first.org_id, first.access_token)
        assert call(second, "GET", f"/sobjects/Contact/{record_id}").status_code == 200
        assert call(third, "DELETE", f"/sobjects/Contact/{record_id}").status_code == 204
        assert call(second, "GET", f"/sobjects/Contact/{record_id}").status_code == 404


def test_two_new_orgs_are_two_orgs(tmp_path: Path) -> None:
    with serve(tmp_path / "a") as first, serve(tmp_path / "b") as second:
        assert first.org_id != second.org_id
        assert first.access_token.startswith(f"{first.org_id[:15]}!")
        assert second.url != first.url


def test_thirty_calls_at_once_are_all_answered(rest: Any) -> None:
    with ThreadPoolExecutor(10) as pool:
        contact_ids = list(pool.map(lambda number: rest.create("Contact", LastName=f"P{number}"), range(30)))
    assert len(set(contact_ids)) == 30
    assert (
        rest("GET", "/query", params={"q": "SELECT COUNT() FROM Contact WHERE LastName LIKE 'P__'"}).json()["totalSize"]
        == 20
    )
