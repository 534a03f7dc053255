"""Bulk API 2.0 through simple-salesforce's `bulk2`. Each step's effect is looked up in the org's own file."""

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

WAIT = 0.01
Step = Callable[[Salesforce, Served, Path], None]


def insert(sf: Salesforce, org: Served, _folder: Path) -> None:
    rows = [{"LastName": f"Bulk{number}", "Email": f"b{number}@x.example"} for number in range(250)]
    (done,) = sf.bulk2.Contact.insert(records=rows, wait=WAIT)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"], done["numberRecordsTotal"]) == (250, 0, 250)
    made = {row["LastName"]: row for row in org.rows("Contact") if row["LastName"].startswith("Bulk")}
    assert {row["LastName"]: row["Email"] for row in rows} == {name: row["Email"] for name, row in made.items()}


def insert_in_several_jobs_at_once(sf: Salesforce, org: Served, _folder: Path) -> None:
    rows = [{"LastName": f"Split{number}"} for number in range(30)]
    done = sf.bulk2.Contact.insert(records=rows, batch_size=10, concurrency=3, wait=WAIT)
    assert [job["numberRecordsProcessed"] for job in done] == [10, 10, 10]
    assert len([row for row in org.rows("Contact") if row["LastName"].startswith("Split")]) == 30


def insert_from_a_file_with_its_own_form(sf: Salesforce, org: Served, folder: Path) -> None:
    path = folder / "leads.csv"
    path.write_text('LastName|Company|Description\nLee|Acme|"a ""b""| c"\n', encoding="utf-8", newline="")
    (done,) = sf.bulk2.Lead.insert(
        csv_file=str(path), column_delimiter=ColumnDelimiter.PIPE, line_ending=LineEnding.CRLF, wait=WAIT
    )
    assert done["numberRecordsFailed"] == 0
    assert org.rows("Lead", LastName="Lee")[0]["Description"] == 'a "b"| c'


def outcomes_of_rows(sf: Salesforce, org: Served, folder: Path) -> None:
    rows = [{"LastName": "Good", "Email": "g@x.example"}, {"LastName": "", "Email": "bad@x.example"}]
    (done,) = sf.bulk2.Contact.insert(records=rows, wait=WAIT)
    assert done["numberRecordsFailed"] == 1
    found = sf.bulk2.Contact.get_all_ingest_records(done["job_id"])
    (good,) = found["successfulRecords"]
    assert (good["sf__Id"], good["sf__Created"]) == (org.rows("Contact", LastName="Good")[0]["Id"], "true")
    (bad,) = found["failedRecords"]
    assert bad["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert (bad["sf__Id"], bad["Email"], found["unprocessedRecords"]) == ("", "bad@x.example", [])
    sf.bulk2.Contact.get_failed_records(done["job_id"], file=str(folder / "failed.csv"))
    assert "bad@x.example" in (folder / "failed.csv").read_text(encoding="utf-8")


def update(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = [row["Id"] for row in org.rows("Contact")]
    sf.bulk2.Contact.update(records=[{"Id": each, "Title": "Chief", "Phone": ""} for each in ids], wait=WAIT)
    assert {row["Title"] for row in org.rows("Contact")} == {"Chief"}
    sf.bulk2.Contact.update(records=[{"Id": ids[0], "Title": "#N/A"}], wait=WAIT)
    assert org.rows("Contact", Id=ids[0])[0]["Title"] is None


def upsert(sf: Salesforce, org: Served, _folder: Path) -> None:
    known = sf.Contact.create({"LastName": "Known", "Ext__c": "k1"})["id"]
    rows = [{"Ext__c": "k1", "LastName": "Renamed"}, {"Ext__c": "k2", "LastName": "New"}]
    (done,) = sf.bulk2.Contact.upsert(records=rows, external_id_field="Ext__c", wait=WAIT)
    created = csv.DictReader(io.StringIO(sf.bulk2.Contact.get_successful_records(done["job_id"])))
    assert {row["Ext__c"]: row["sf__Created"] for row in created} == {"k1": "false", "k2": "true"}
    assert org.rows("Contact", Ext__c="k1")[0]["Id"] == known
    assert [row["LastName"] for row in org.rows("Contact", Ext__c="k1") + org.rows("Contact", Ext__c="k2")] == [
        "Renamed",
        "New",
    ]


def delete(sf: Salesforce, org: Served, _folder: Path) -> None:
    ids = [row["Id"] for row in org.rows("Lead")][:5]
    (done,) = sf.bulk2.Lead.delete(records=[{"Id": each} for each in ids], wait=WAIT)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (5, 0)
    assert not {row["Id"] for row in org.rows("Lead")} & set(ids)


def hard_delete_needs_a_right(sf: Salesforce, org: Served, _folder: Path) -> None:
    before = org.rows("Lead")
    with pytest.raises(
        SalesforceMalformedRequest, match="hardDelete operation requires special user profile permission"
    ):
        sf.bulk2.Lead.hard_delete(records=[{"Id": before[0]["Id"]}], wait=WAIT)
    assert org.rows("Lead") == before


def a_wrong_column_fails_the_job(sf: Salesforce, org: Served, _folder: Path) -> None:
    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Ghost__c"):
        sf.bulk2.Contact.insert(records=[{"LastName": "Nobody", "Ghost__c": "1"}], wait=WAIT)
    assert org.rows("Contact", LastName="Nobody") == []


def an_unknown_object(sf: Salesforce, _org: Served, _folder: Path) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="InvalidJob : Unable to find object: Ghost__c"):
        sf.bulk2.Ghost__c.insert(records=[{"Name": "x"}], wait=WAIT)


def query(sf: Salesforce, org: Served, _folder: Path) -> None:
    (text,) = sf.bulk2.Contact.query("SELECT Id, LastName, Account.Name FROM Contact", wait=WAIT)
    found = list(csv.DictReader(io.StringIO(text)))
    assert {row["Id"]: row["LastName"] for row in found} == {row["Id"]: row["LastName"] for row in org.rows("Contact")}


def query_in_pages(sf: Salesforce, org: Served, _folder: Path) -> None:
    pages = list(sf.bulk2.Contact.query("SELECT Id FROM Contact", max_records=13, wait=WAIT))
    found = [row["Id"] for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert (len(pages), sorted(found)) == (3, sorted(row["Id"] for row in org.rows("Contact")))


def query_all(sf: Salesforce, org: Served, _folder: Path) -> None:
    (text,) = sf.bulk2.Contact.query_all("SELECT Id FROM Contact WHERE IsDeleted = false", wait=WAIT)
    assert len(text.splitlines()) == len(org.rows("Contact")) + 1


def download(sf: Salesforce, org: Served, folder: Path) -> None:
    pages = sf.bulk2.Contact.download("SELECT Id FROM Contact", str(folder), max_records=20, wait=WAIT)
    assert [page["number_of_records"] for page in pages] == [20, len(org.rows("Contact")) - 20]
    assert Path(pages[0]["file"]).read_text(encoding="utf-8").startswith('"Id"\n')


def an_aggregate_cannot_be_queried_in_bulk(sf: Salesforce, _org: Served, _folder: Path) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="not supported in Bulk Query"):
        list(sf.bulk2.Contact.query("SELECT COUNT(Id) FROM Contact", wait=WAIT))


def abort(sf: Salesforce, org: Served, _folder: Path) -> None:
    client: Any = sf.bulk2.Contact._client
    job = client.create_job(Operation.insert)["id"]
    client.upload_job_data(job, "LastName\nNobody\n")
    assert client.abort_job(job, False)["state"] == "Aborted"
    assert client.get_job(job, False)["state"] == "Aborted"
    assert org.rows("Contact", LastName="Nobody") == []


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
