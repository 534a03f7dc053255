"""Bulk queries: successful and failed responses of an org."""

from __future__ import annotations

import json

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.org.retry import NoAnswer
from tests.org.servers import Answer, HangUp, Request, as_json

JOB = {"id": "750000000000001AAA", "state": "InProgress", "numberRecordsProcessed": 7}


def test_a_query_is_begun_and_followed(org_at):
    def handler(request: Request) -> Answer:
        if request.method == "POST":
            assert json.loads(request.body) == {"operation": "query", "query": "SELECT Id FROM Contact"}
            return as_json({"id": JOB["id"], "state": "UploadComplete"})
        assert request.path == f"/services/data/v63.0/jobs/query/{JOB['id']}"
        return as_json(JOB)

    _, org = org_at(handler)
    job = org.bulk.start("SELECT Id FROM Contact")
    assert (job.id, job.runs, job.complete) == (JOB["id"], True, False)
    assert org.bulk.job(job.id).records == 7


def test_records_are_read_page_by_page_with_none_for_blank_values(org_at):
    queries = []

    def handler(request: Request) -> Answer:
        queries.append(request.query)
        text = '"Id","Name"\n"1","Zoë, ""Z""\nline"\n"2",""\n'
        locator = "null" if "locator" in request.query else "MTAw"
        return Answer(200, text.encode(), {"Content-Type": "text/csv", "Sforce-Locator": locator})

    _, org = org_at(handler)
    first = org.bulk.page("750", None, 100)
    assert first.records == ({"Id": "1", "Name": 'Zoë, "Z"\nline'}, {"Id": "2", "Name": None})
    assert org.bulk.page("750", first.locator, 100).locator is None
    assert queries == [{"maxRecords": "100"}, {"maxRecords": "100", "locator": "MTAw"}]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (as_json([{"errorCode": "API_DISABLED_FOR_ORG", "message": "off"}], 403), OrgError, "API_DISABLED_FOR_ORG"),
        (as_json([{"errorCode": "NOT_FOUND", "message": "gone"}], 404), OrgError, "NOT_FOUND"),
        (as_json([{"errorCode": "INVALID_SESSION_ID", "message": "over"}], 401), SignInError, "INVALID_SESSION_ID"),
        (as_json({"strange": True}), OrgError, ""),
        (as_json({}, 400), NoAnswer, ""),
        (Answer(404, b"<html>no</html>"), NoAnswer, ""),
    ],
)
def test_refusals_are_errors_of_sfcode_with_the_orgs_code(org_at, answer, error, code):
    _, org = org_at(lambda _: answer)
    with pytest.raises(error) as caught:
        org.bulk.job("750")
    assert caught.value.code == code


def test_a_read_is_retried_after_a_lost_connection(org_at):
    tries = []

    def handler(request: Request) -> Answer:
        tries.append(request.method)
        if len(tries) < 3:
            raise HangUp
        return as_json(JOB)

    _, org = org_at(handler)
    assert org.bulk.job("750").records == 7
    assert len(tries) == 3
