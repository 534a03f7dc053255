"""Bulk API 2.0 through simple-salesforce's `bulk2`. Each step's effect is looked up in the org with another client."""

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
    (done,) = sf.bulk2.Contact.insert(records=rows, wait=org.wait)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"], done["numberRecordsTotal"]) == (250, 0, 250)
    assert org.count("Contact", f"LastName LIKE '{org.word}%'") == 250
    made = {row["LastName"]: row["Email"] for row in org.rows("Contact", f"LastName LIKE '{org.word}1%'")}
    assert made == {row["LastName"]: row["Email"] for row in rows[100:200]}


def insert_in_several_jobs_at_once(sf: Salesforce, org: Served, _folder: Path) -> None:
    rows = [{"LastName": f"{org.word}{number}"} for number in range(30)]
    done = sf.bulk2.Contact.insert(records=rows, batch_size=10, concurrency=3, wait=org.wait)
    assert [job["numberRecordsProcessed"] for job in done] == [10, 10, 10]
    assert org.count("Contact", f"LastName LIKE '{org.word}%'") == 30


def insert_from_a_file_with_its_own_form(sf: Salesforce, org: Served, folder: Path) -> None:
    path = folder / "leads.csv"
    path.write_text(f'LastName|Company|Description\n{org.word}|Acme|"a ""b""| c"\n', encoding="utf-8", newline="")
    (done,) = sf.bulk2.Lead.insert(
        csv_file=str(path), column_delimiter=ColumnDelimiter.PIPE, line_ending=LineEnding.CRLF, wait=org.wait
    )
    assert done["numberRecordsFailed"] == 0
    assert org.rows("Lead", LastName=org.word)[0]["Description"] == 'a "b"| c'


def outcomes_of_rows(sf: Salesforce, org: Served, folder: Path) -> None:
    rows = [{"LastName": org.word, "Email": "g@x.example"}, {"LastName": "", "Email": "bad@x.example"}]
    (done,) = sf.bulk2.Contact.insert(records=rows, wait=org.wait)
    assert done["numberRecordsFailed"] == 1
    found = sf.bulk2.Contact.get_all_ingest_records(done["job_id"])
    (good,) = found["successfulRecords"]
    assert (good["sf__Id"], good["sf__Created"]) == (org.rows("Contact", LastName=org.word)[0]["Id"], "true")
    (bad,) = found["failedRecords"]
    assert bad["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert (bad["sf__Id"], bad["Email"], found["unprocessedRecords"]) == ("", "bad@x.example", [])
    sf.bulk2.Contact.get_failed_records(done["job_id"], file=str(folder / "failed.csv"))
    assert "bad@x.example" in (folder / "failed.csv").read_text(encoding="utf-8")


def update(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Contact", *({"LastName": f"{org.word}{number}"} for number in range(3)))
    sf.bulk2.Contact.update(records=[{"Id": each, "Title": "Chief", "Phone": ""} for each in ids], wait=org.wait)
    assert [row["Title"] for row in org.rows("Contact", f"LastName LIKE '{org.word}%'")] == ["Chief"] * 3
    sf.bulk2.Contact.update(records=[{"Id": ids[0], "Title": "#N/A"}], wait=org.wait)
    assert org.rows("Contact", Id=ids[0])[0]["Title"] is None


def upsert(sf: Salesforce, org: Served, _folder: Path) -> None:
    key, one, two = org.external_id, f"{org.word}k1", f"{org.word}k2"
    known = sf.Contact.create({"LastName": org.word, key: one})["id"]
    rows = [{key: one, "LastName": f"{org.word}Renamed"}, {key: two, "LastName": f"{org.word}New"}]
    (done,) = sf.bulk2.Contact.upsert(records=rows, external_id_field=key, wait=org.wait)
    created = csv.DictReader(io.StringIO(sf.bulk2.Contact.get_successful_records(done["job_id"])))
    assert {row[key]: row["sf__Created"] for row in created} == {one: "false", two: "true"}
    found = {row[key]: row for row in org.rows("Contact", f"LastName LIKE '{org.word}%'")}
    assert found[one]["Id"] == known
    assert [found[each]["LastName"] for each in (one, two)] == [f"{org.word}Renamed", f"{org.word}New"]


def delete(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Lead", *({"LastName": org.word, "Company": "Acme"} for _ in range(3)))
    (done,) = sf.bulk2.Lead.delete(records=[{"Id": each} for each in ids[:2]], wait=org.wait)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 0)
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
    asked = f"SELECT Id, LastName, Account.Name FROM Contact WHERE LastName LIKE '{org.word}%'"
    (text,) = sf.bulk2.Contact.query(asked, wait=org.wait)
    found = {row["Id"]: row["LastName"] for row in csv.DictReader(io.StringIO(text))}
    assert found == {each: f"{org.word}{number}" for number, each in enumerate(ids)}


def query_in_pages(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = org.make("Contact", *({"LastName": f"{org.word}{number}"} for number in range(5)))
    asked = f"SELECT Id FROM Contact WHERE LastName LIKE '{org.word}%'"
    pages = list(sf.bulk2.Contact.query(asked, max_records=2, wait=org.wait))
    found = [row["Id"] for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert (len(pages), sorted(found)) == (3, sorted(ids))


def query_all(sf: Salesforce, org: Served, _folder: Path) -> None:
    org.make("Contact", {"LastName": org.word})
    asked = f"SELECT Id FROM Contact WHERE LastName = '{org.word}' AND IsDeleted = false"
    (text,) = sf.bulk2.Contact.query_all(asked, wait=org.wait)
    assert len(text.splitlines()) == 2


def download(sf: Salesforce, org: Served, folder: Path) -> None:
    org.make("Contact", *({"LastName": org.word} for _ in range(3)))
    asked = f"SELECT Id FROM Contact WHERE LastName = '{org.word}'"
    pages = sf.bulk2.Contact.download(asked, str(folder), max_records=2, wait=org.wait)
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
    """simple-salesforce's Bulk 2.0 does what its documentation says, and the org has it afterwards."""
    step(sf, served, tmp_path)
