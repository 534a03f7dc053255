"""The requests that write the records of an apply: nothing that is already known is queried again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sfcode.apply.records import RecordIds, write_record, write_state
from sfcode.errors import OrgError
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.state import Applied, state_address
from tests.org.conftest import ServeOrg, org_at, runtime, time
from tests.org.servers import Answer, HangUp, Request, as_json

__all__ = ["org_at", "runtime", "time"]

USER = Component(
    "User", "relay@example.com", {"Username": "relay@example.com", "LastName": "Relay", "Profile": "Standard"}
)
ASSIGNMENTS = (
    Address("PermissionSetLicenseAssign", "SalesforceAPIIntegrationPsl/relay@example.com"),
    Address("PermissionSetAssignment", "Appcues/relay@example.com"),
)
STATE = state_address("Appcues")
CREATED = as_json({"id": "00A000000000001AAA", "success": True, "errors": []}, 201)
DUPLICATE = as_json([{"errorCode": "DUPLICATE_DEVELOPER_NAME", "message": "in use"}], 400)


ROWS = {
    "done": True,
    "totalSize": 1,
    "records": [{"Id": "00B000000000001AAA", "Name": "Standard", "UserLicense": {"Name": "Salesforce"}}],
}
MISSING = [{"errorCode": "NOT_FOUND", "message": "none"}]


def answer(request: Request) -> Answer:
    if request.path.endswith("/composite"):
        parts = [
            {"httpStatusCode": 200, "body": ROWS}
            if "query?q=" in part["url"]
            else {"httpStatusCode": 404, "body": MISSING}
            for part in json.loads(request.body)["compositeRequest"]
        ]
        return as_json({"compositeResponse": parts})
    if request.method == "POST":
        return CREATED
    return Answer(204) if request.method == "PATCH" else as_json(ROWS)


def describe_request(request: Request) -> str:
    """Return the method of a request, and the object that it reads or writes."""
    query = request.query.get("q", "")
    return f"{request.method} {query.split(' FROM ')[1].split()[0] if query else request.path.split('/sobjects/')[1].split('/')[0]}"


def test_the_id_of_a_created_user_is_not_queried(org_at: ServeOrg) -> None:
    server, org = org_at(answer)
    ids = RecordIds(org)
    write_record(org, Change(USER.address, None, USER), ids)
    server.requests.clear()
    for address in ASSIGNMENTS:
        write_record(org, Change(address, None, Component(address.type, address.full_name, {})), ids)
    assert [describe_request(request) for request in server.requests] == [
        "GET PermissionSetLicense",
        "POST PermissionSetLicenseAssign",
        "GET PermissionSet",
        "POST PermissionSetAssignment",
    ]
    assert b'"AssigneeId": "00A000000000001AAA"' in server.requests[1].body


def test_the_id_of_a_user_is_queried_once(org_at: ServeOrg) -> None:
    server, org = org_at(answer)
    ids = RecordIds(org)
    for address in ASSIGNMENTS:
        write_record(org, Change(address, None, Component(address.type, address.full_name, {})), ids)
    assert [describe_request(request) for request in server.requests].count("GET User") == 1


def test_a_first_state_is_created_without_a_query(org_at: ServeOrg) -> None:
    server, org = org_at(answer)
    write_state(org, STATE, Applied(), first=True)
    assert [describe_request(request) for request in server.requests] == ["POST StaticResource"]
    values = json.loads(server.requests[0].body)
    assert values["Name"] == STATE.full_name
    assert values["Body"]


@pytest.mark.parametrize("refusal", [DUPLICATE, HangUp()], ids=["duplicate", "lost response"])
def test_a_first_state_that_exists_by_now_is_updated(org_at: ServeOrg, refusal: Answer | HangUp) -> None:
    """Another run without the lock may have written the state, or this run has, and the response was lost."""

    def refuse(request: Request) -> Answer:
        if request.method != "POST":
            return answer(request)
        if isinstance(refusal, HangUp):
            raise refusal
        return refusal

    server, org = org_at(refuse)
    write_state(org, STATE, replace(Applied(), project="Appcues"), first=True)
    assert [describe_request(request) for request in server.requests] == [
        "POST StaticResource",
        "GET StaticResource",
        "PATCH StaticResource",
    ]


def test_another_refusal_of_a_first_state_is_raised(org_at: ServeOrg) -> None:
    server, org = org_at(lambda _: as_json([{"errorCode": "STORAGE_LIMIT_EXCEEDED", "message": "full"}], 400))
    with pytest.raises(OrgError, match="full"):
        write_state(org, STATE, Applied(), first=True)
    assert len(server.requests) == 1
