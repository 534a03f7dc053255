"""
A few steps of simple-salesforce against recorded answers of the local org, without a server.

The test fails if this version of the library sends other requests, or does not understand the recorded answers.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound

from sfcode.local import serve
from tests.contract.simple_salesforce.conftest import PlainHttp
from tests.org import recording

pytestmark = pytest.mark.vcr

VERSION = "62.0"
"""The API version of the cassettes."""
KEPT = {"content-type", "sforce-locator", "sforce-numberofrecords", "sforce-limit-info"}


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    def clean(response: dict[str, Any]) -> dict[str, Any]:
        headers = {name: values for name, values in response["headers"].items() if name.lower() in KEPT}
        cleaned = recording.clean_response(response)
        return {**cleaned, "headers": {**headers, **cleaned["headers"]}}

    return {
        "before_record_request": recording.clean_request,
        "before_record_response": clean,
        "match_on": ["method", "host", "port", "path", "query", "body"],
    }


@pytest.fixture
def sf(record_mode: str, company: Path, tmp_path: Path) -> Iterator[Salesforce]:
    """Return a client without an org; while cassettes are recorded, a client that is signed in to an org."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", PlainHttp())
        if record_mode == "none":
            yield Salesforce(session_id="00D!x", instance=recording.ADDRESS, version=VERSION, session=session)
            return
        shutil.copytree(company, tmp_path / "state")
        with serve(tmp_path / "state") as org:
            instance = org.url.removeprefix("http://")
            yield Salesforce(session_id=org.access_token, instance=instance, version=VERSION, session=session)


def test_a_record_comes_and_goes(sf: Salesforce) -> None:
    record_id = sf.Contact.create({"LastName": "Kim", "Ext__c": "k/1"})["id"]
    assert sf.Contact.get_by_custom_id("Ext__c", "k/1")["Id"] == record_id
    assert sf.Contact.upsert("Ext__c/k%2F1", {"Title": "Chief"}) == 200
    rows = sf.query("SELECT Id, Title FROM Contact WHERE Ext__c = 'k/1'")
    assert [row["Title"] for row in rows["records"]] == ["Chief"]
    assert sf.Contact.update(record_id, {"Title": None}) == 204
    assert sf.Contact.delete(record_id) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get(record_id)
    assert sf.api_usage["api-usage"].total > 0


def test_errors_are_understood(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Contact.create({})
    assert refused.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_a_bulk_job_and_a_bulk_query(sf: Salesforce) -> None:
    (job,) = sf.bulk2.Contact.insert(records=[{"LastName": "Bulk"}], wait=0.01)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (1, 0)
    (good,) = csv.DictReader(io.StringIO(sf.bulk2.Contact.get_successful_records(job["job_id"])))
    (text,) = sf.bulk2.Contact.query("SELECT Id FROM Contact WHERE LastName = 'Bulk'", wait=0.01)
    assert [row["Id"] for row in csv.DictReader(io.StringIO(text))] == [good["sf__Id"]]
