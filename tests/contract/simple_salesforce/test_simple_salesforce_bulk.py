"""Bulk API 2.0 through simple-salesforce's `bulk2`. The effect of each step is read with another client."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.bulk2 import ColumnDelimiter, LineEnding, Operation
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceOperationError

from tests.contract.simple_salesforce.conftest import Served

pytestmark = pytest.mark.recorded("simple-salesforce", "with_external_ids")

Step = Callable[[Salesforce, Served, Path], None]


def insert(sf: Salesforce, org: Served, _folder: Path) -> None:
    rows = [{"LastName": f"{org.word}{number:03}", "Email": f"b{number}@x.example"} for number in range(250)]
    (job,) = sf.bulk2.Contact.insert(records=rows, wait=org.wait)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"], job["numberRecordsTotal"]) == (250, 0, 250)
    assert org.count("Contact", f"LastName LIKE '{org.word}%'") == 250
    emails = {row["LastName"]: row["Email"] for row in org.rows("Contact", f"LastName LIKE '{org.word}1%'")}
    assert emails == {row["LastName"]: row["Email"] for row in rows[100:200]}


def insert_in_several_jobs_at_once(sf: Salesforce, org: Served, _folder: Path) -> None:
    rows = [{"LastName": f"{org.word}{number}"} for number in range(30)]
    jobs = sf.bulk2.Contact.insert(records=rows, batch_size=10, concurrency=3, wait=org.wait)
    assert [job["numberRecordsProcessed"] for job in jobs] == [10, 10, 10]
    assert org.count("Contact", f"LastName LIKE '{org.word}%'") == 30


def insert_from_a_file_with_its_own_form(sf: Salesforce, org: Served, folder: Path) -> None:
    path = folder / "leads.csv"
    path.write_text(f'LastName|Company|Description\n{org.word}|Acme|"a ""b""| c"\n', encoding="utf-8", newline="")
    (job,) = sf.bulk2.Lead.insert(
        csv_file=str(path), column_delimiter=ColumnDelimiter.PIPE, line_ending=LineEnding.CRLF, wait=org.wait
    )
    assert job["numberRecordsFailed"] == 0
    assert org.rows("Lead", LastName=org.word)[0]["Description"] == 'a "b"| c'


def outcomes_of_rows(sf: Salesforce, org: Served, folder: Path) -> None:
    rows = [{"LastName": org.word, "Email": "g@x.example"}, {"LastName": "", "Email": "bad@x.example"}]
    (job,) = sf.bulk2.Contact.insert(records=rows, wait=org.wait)
    assert job["numberRecordsFailed"] == 1
    outcomes = sf.bulk2.Contact.get_all_ingest_records(job["job_id"])
    (good,) = outcomes["successfulRecords"]
    assert (good["sf__Id"], good["sf__Created"]) == (org.rows("Contact", LastName=org.word)[0]["Id"], "true")
    (bad,) = outcomes["failedRecords"]
    assert bad["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert (bad["sf__Id"], bad["Email"], outcomes["unprocessedRecords"]) == ("", "bad@x.example", [])
    sf.bulk2.Contact.get_failed_records(job["job_id"], file=str(folder / "failed.csv"))
    assert "bad@x.example" in (folder / "failed.csv").read_text(encoding="utf-8")


def update(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Contact", *({"LastName": f"{org.word}{number}"} for number in range(3)))
    sf.bulk2.Contact.update(
        records=[{"Id": record_id, "Title": "Chief", "Phone": ""} for record_id in ids], wait=org.wait
    )
    assert [row["Title"] for row in org.rows("Contact", f"LastName LIKE '{org.word}%'")] == ["Chief"] * 3
    sf.bulk2.Contact.update(records=[{"Id": ids[0], "Title": "#N/A"}], wait=org.wait)
    assert org.rows("Contact", Id=ids[0])[0]["Title"] is None


def upsert(sf: Salesforce, org: Served, _folder: Path) -> None:
    key, first_key, second_key = org.external_id, f"{org.word}k1", f"{org.word}k2"
    record_id = sf.Contact.create({"LastName": org.word, key: first_key})["id"]
    rows = [{key: first_key, "LastName": f"{org.word}Renamed"}, {key: second_key, "LastName": f"{org.word}New"}]
    (job,) = sf.bulk2.Contact.upsert(records=rows, external_id_field=key, wait=org.wait)
    created = csv.DictReader(io.StringIO(sf.bulk2.Contact.get_successful_records(job["job_id"])))
    assert {row[key]: row["sf__Created"] for row in created} == {first_key: "false", second_key: "true"}
    rows_by_key = {row[key]: row for row in org.rows("Contact", f"LastName LIKE '{org.word}%'")}
    assert rows_by_key[first_key]["Id"] == record_id
    assert [rows_by_key[row_key]["LastName"] for row_key in (first_key, second_key)] == [
        f"{org.word}Renamed",
        f"{org.word}New",
    ]


def delete(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Lead", *({"LastName": org.word, "Company": "Acme"} for _ in range(3)))
    (job,) = sf.bulk2.Lead.delete(records=[{"Id": record_id} for record_id in ids[:2]], wait=org.wait)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 0)
    assert [row["Id"] for row in org.rows("Lead", LastName=org.word)] == ids[2:]


def hard_delete_needs_a_right(sf: Salesforce, org: Served, _folder: Path) -> None:
    (lead,) = org.make("Lead", {"LastName": org.word, "Company": "Acme"})
    with pytest.raises(
        SalesforceMalformedRequest, match="hardDelete operation requires special user profile permission"
    ):
        sf.bulk2.Lead.hard_delete(records=[{"Id": lead}], wait=org.wait)
    assert [row["Id"] for row in org.rows("Lead", LastName=org.word)] == [lead]


def a_wrong_column_fails_the_job(sf: Salesforce, org: Served, _folder: Path) -> None:
    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Ghost__c"):
        sf.bulk2.Contact.insert(records=[{"LastName": org.word, "Ghost__c": "1"}], wait=org.wait)
    assert org.rows("Contact", LastName=org.word) == []


def an_unknown_object(sf: Salesforce, org: Served, _folder: Path) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="InvalidJob : Unable to find object: Ghost__c"):
        sf.bulk2.Ghost__c.insert(records=[{"Name": "x"}], wait=org.wait)


def query(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Contact", *({"LastName": f"{org.word}{number}"} for number in range(3)))
    soql = f"SELECT Id, LastName, Account.Name FROM Contact WHERE LastName LIKE '{org.word}%'"
    (text,) = sf.bulk2.Contact.query(soql, wait=org.wait)
    names_by_id = {row["Id"]: row["LastName"] for row in csv.DictReader(io.StringIO(text))}
    assert names_by_id == {record_id: f"{org.word}{number}" for number, record_id in enumerate(ids)}


def query_in_pages(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Contact", *({"LastName": f"{org.word}{number}"} for number in range(5)))
    soql = f"SELECT Id FROM Contact WHERE LastName LIKE '{org.word}%'"
    pages = list(sf.bulk2.Contact.query(soql, max_records=2, wait=org.wait))
    found_ids = [row["Id"] for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert (len(pages), sorted(found_ids)) == (3, sorted(ids))


def query_all(sf: Salesforce, org: Served, _folder: Path) -> None:
    org.make("Contact", {"LastName": org.word})
    soql = f"SELECT Id FROM Contact WHERE LastName = '{org.word}' AND IsDeleted = false"
    (text,) = sf.bulk2.Contact.query_all(soql, wait=org.wait)
    assert len(text.splitlines()) == 2


def download(sf: Salesforce, org: Served, folder: Path) -> None:
    org.make("Contact", *({"LastName": org.word} for _ in range(3)))
    soql = f"SELECT Id FROM Contact WHERE LastName = '{org.word}'"
    pages = sf.bulk2.Contact.download(soql, str(folder), max_records=2, wait=org.wait)
    assert [page["number_of_records"] for page in pages] == [2, 1]
    assert Path(pages[0]["file"]).read_text(encoding="utf-8").startswith('"Id"\n')


def an_aggregate_cannot_be_queried_in_bulk(sf: Salesforce, org: Served, _folder: Path) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="not supported in Bulk Query"):
        list(sf.bulk2.Contact.query("SELECT COUNT(Id) FROM Contact", wait=org.wait))


def abort(sf: Salesforce, org: Served, _folder: Path) -> None:
    client: Any = sf.bulk2.Contact._client
    job = client.create_job(Operation.insert)["id"]
    client.upload_job_data(job, f"LastName\n{org.word}\n")
    assert client.abort_job(job, False)["state"] == "Aborted"
    assert client.get_job(job, False)["state"] == "Aborted"
    assert org.rows("Contact", LastName=org.word) == []


STEPS: tuple[Step, ...] = (
    insert,
    insert_in_several_jobs_at_once,
    insert_from_a_file_with_its_own_form,
    outcomes_of_rows,
    update,
    upsert,
    delete,
    hard_delete_needs_a_right,
    a_wrong_column_fails_the_job,
    an_unknown_object,
    query,
    query_in_pages,
    query_all,
    download,
    an_aggregate_cannot_be_queried_in_bulk,
    abort,
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_bulk(step: Step, sf: Salesforce, served: Served, tmp_path: Path) -> None:
    """simple-salesforce's Bulk 2.0 works as documented, and the org has the data afterwards."""
    step(sf, served, tmp_path)
