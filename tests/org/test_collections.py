"""Many records in one call: one attempt, a result for each record, and the API usage from the header."""

from __future__ import annotations

import json

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.org.collections import CallRefused, RecordError, RecordResult, Usage
from sfcode.org.retry import NoAnswer
from tests.org.servers import Answer, HangUp, Request, as_json, script

BASE = "/services/data/v63.0"
RECORD = {"attributes": {"type": "Contact"}, "Id": "003", "Title": "CFO"}


def test_records_are_updated_independently(org_at) -> None:
    locked = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "busy", "fields": ["Title"]}
    answers = [{"id": "003", "success": True, "errors": []}, {"success": False, "errors": [locked]}]
    server, org = org_at(script(as_json(answers)))
    assert org.collections.update([RECORD, RECORD]) == [
        RecordResult("003"),
        RecordResult("", (RecordError("UNABLE_TO_LOCK_ROW", "busy", ("Title",)),)),
    ]
    (request,) = server.requests
    assert (request.method, request.path) == ("PATCH", f"{BASE}/composite/sobjects")
    assert json.loads(request.body) == {"allOrNone": False, "records": [RECORD, RECORD]}


def test_records_are_upserted_by_an_external_id(org_at) -> None:
    server, org = org_at(script(as_json([{"id": "00U", "success": True, "created": True, "errors": []}])))
    assert org.collections.upsert("Event", "Key__c", [{"Key__c": "1"}]) == [RecordResult("00U", created=True)]
    assert (server.requests[0].method, server.requests[0].path) == (
        "PATCH",
        f"{BASE}/composite/sobjects/Event/Key__c",
    )


def test_an_answer_that_is_not_one_for_each_record_is_an_error(org_at) -> None:
    _, org = org_at(script(as_json([])))
    with pytest.raises(OrgError, match="not one result for each of 1 records"):
        org.collections.update([RECORD])


def test_a_failure_without_a_reason_is_a_failure(org_at) -> None:
    _, org = org_at(script(as_json([{"success": False, "errors": []}])))
    assert org.collections.update([RECORD])[0].errors[0].code == "UNKNOWN_EXCEPTION"


def test_a_query_is_read_to_its_last_page(org_at) -> None:
    def pages(request: Request) -> Answer:
        last = request.path.endswith("/next")
        page = {"done": last, "records": [{"attributes": {}, "Id": "2" if last else "1"}]}
        return as_json(page if last else page | {"nextRecordsUrl": f"{BASE}/query/next"})

    server, org = org_at(pages)
    assert org.collections.query("SELECT Id FROM Contact WHERE Name = 'ä&b'") == [{"Id": "1"}, {"Id": "2"}]
    assert server.requests[0].query["q"] == "SELECT Id FROM Contact WHERE Name = 'ä&b'"


def test_several_queries_go_in_one_request(org_at) -> None:
    page = {"done": True, "records": [{"attributes": {}, "Id": "1"}]}
    answer = {"compositeResponse": [{"httpStatusCode": 200, "body": page, "referenceId": f"q{n}"} for n in range(2)]}
    server, org = org_at(script(as_json(answer)))
    assert org.collections.queries(["SELECT Id FROM Contact", "SELECT Id FROM Lead"]) == [[{"Id": "1"}], [{"Id": "1"}]]
    (request,) = server.requests
    composite_request = json.loads(request.body)["compositeRequest"]
    assert [part["url"] for part in composite_request] == [
        f"{BASE}/query?q=SELECT%20Id%20FROM%20Contact",
        f"{BASE}/query?q=SELECT%20Id%20FROM%20Lead",
    ]


def test_a_query_that_is_refused_in_a_composite_request_is_an_error_of_its_own(org_at) -> None:
    refused = {"httpStatusCode": 400, "body": [{"errorCode": "INVALID_FIELD", "message": "No such column"}]}
    _, org = org_at(script(as_json({"compositeResponse": [refused]})))
    (error,) = org.collections.queries(["SELECT X FROM Contact"])
    assert isinstance(error, CallRefused)
    assert (error.code, error.status) == ("INVALID_FIELD", 400)


def test_every_response_reports_the_api_usage(org_at) -> None:
    info = {"Content-Type": "application/json", "Sforce-Limit-Info": "per-app-api-usage=1/2(a); api-usage=18/5000"}
    over = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]).encode()
    full = {**info, "Sforce-Limit-Info": "api-usage=5000/5000"}
    _, org = org_at(script(Answer(200, b"[]", info), Answer(403, over, full)))
    assert org.collections.usage is None
    org.collections.update([])
    assert org.collections.usage == Usage(18, 5000)
    with pytest.raises(CallRefused) as caught:
        org.collections.update([])
    assert (caught.value.code, caught.value.status) == ("REQUEST_LIMIT_EXCEEDED", 403)
    assert org.collections.usage == Usage(5000, 5000)


def test_the_limits_report_the_api_usage(org_at) -> None:
    _, org = org_at(script(as_json({"DailyApiRequests": {"Max": 15000, "Remaining": 14990}})))
    assert org.collections.limits() == Usage(10, 15000) == org.collections.usage


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (Answer(503, b"Service Unavailable", {"Retry-After": "7"}), 7.0),
        (Answer(503, b"Service Unavailable", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0.0),
        (Answer(503, b"Service Unavailable", {"Retry-After": "soon"}), None),
        (Answer(502, b"<html>"), None),
        (Answer(200, b"<html>"), None),
    ],
)
def test_a_failed_call_is_not_retried_and_its_retry_after_is_reported(org_at, answer: Answer, after) -> None:
    server, org = org_at(script(answer))
    with pytest.raises(NoAnswer) as caught:
        org.collections.update([RECORD])
    assert caught.value.retry_after == after
    assert len(server.requests) == 1, "whoever calls decides what is repeated"


def test_a_lost_connection_is_not_retried(org_at) -> None:
    def hang_up(_request: Request) -> Answer:
        raise HangUp

    server, org = org_at(hang_up)
    with pytest.raises(NoAnswer) as caught:
        org.collections.update([RECORD])
    assert caught.value.sent
    assert len(server.requests) == 1


def test_an_ended_session_that_cannot_be_renewed_is_a_sign_in_error(org_at) -> None:
    _, org = org_at(script(as_json([{"errorCode": "INVALID_SESSION_ID", "message": "expired"}], 401)))
    with pytest.raises(SignInError):
        org.collections.update([RECORD])
    assert org.renew(older_than=0) is False, "a token from a variable is the only one"
