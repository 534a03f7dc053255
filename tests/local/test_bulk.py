"""Bulk API 2.0: jobs that write CSV, jobs that query, and jobs that an org refuses."""

from __future__ import annotations

import csv
import dataclasses
import io
import random
from typing import Any

import pytest

from sfcode.local import auth, serve
from sfcode.local.context import OrgContext
from sfcode.local.rest.bulk import ingest
from sfcode.local.rest.bulk.job import change
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.conftest import NOON, Rest
from tests.waiting import until

INGEST = "/jobs/ingest"
QUERY = "/jobs/query"
ENDED = {"JobComplete", "Failed", "Aborted"}


@pytest.fixture
def bulk(rest):
    return Bulk(rest)


class Bulk:
    """Jobs of one org, step by step."""

    def __init__(self, rest) -> None:
        self.rest = rest

    def open(self, operation: str = "insert", name: str = "Contact", **more: str) -> str:
        answer = self.rest("POST", INGEST, json={"object": name, "operation": operation, "contentType": "CSV", **more})
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "Open"
        return answer.json()["id"]

    def upload(self, job: str, text: str) -> None:
        answer = self.rest(
            "PUT", f"{INGEST}/{job}/batches", data=text.encode(), headers={"Content-Type": "text/csv; charset=UTF-8"}
        )
        assert (answer.status_code, answer.content) == (201, b"")

    def close(self, job: str) -> dict[str, Any]:
        answer = self.rest("PATCH", f"{INGEST}/{job}", json={"state": "UploadComplete"})
        assert (answer.status_code, answer.json()["state"]) == (200, "UploadComplete"), answer.text
        return self.end(f"{INGEST}/{job}")

    def end(self, path: str) -> dict[str, Any]:
        def document() -> dict[str, Any] | None:
            document = self.rest("GET", path).json()
            return document if document["state"] in ENDED else None

        return until(document, "the end of the job")

    def run(self, text: str, operation: str = "insert", name: str = "Contact", **more: str) -> dict[str, Any]:
        job = self.open(operation, name, **more)
        self.upload(job, text)
        return self.close(job)

    def result(self, job: str, kind: str) -> list[dict[str, str]]:
        answer = self.rest("GET", f"{INGEST}/{job}/{kind}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=UTF-8")
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))

    def query(self, text: str, **more: str) -> dict[str, Any]:
        answer = self.rest("POST", QUERY, json={"operation": "query", "query": text, **more})
        assert answer.status_code == 200, answer.text
        return self.end(f"{QUERY}/{answer.json()['id']}")


def test_rows_are_inserted_and_each_has_its_own_outcome(bulk, rest) -> None:
    """A job reports the result of each row: its ID, or the platform's error code, message and fields."""
    job = bulk.run("LastName,Email,Product_User_Id__c\nKim,kim@x.example,501\n,no@x.example,502\nLee,nonsense,503\n")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    (good,) = bulk.result(job["id"], "successfulResults")
    assert rest.rows("SELECT Name, Email, Product_User_Id__c FROM Contact WHERE Id = '" + good["sf__Id"] + "'")[0] == {
        "attributes": {"type": "Contact", "url": f"/services/data/v62.0/sobjects/Contact/{good['sf__Id']}"},
        "Name": "Kim",
        "Email": "kim@x.example",
        "Product_User_Id__c": 501.0,
    }
    assert (good["sf__Created"], good["LastName"]) == ("true", "Kim")
    assert [
        (row["sf__Id"], row["sf__Error"], row["Product_User_Id__c"]) for row in bulk.result(job["id"], "failedResults")
    ] == [
        ("", "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --", "502"),
        ("", "INVALID_EMAIL_ADDRESS:Email: invalid email address: nonsense:Email --", "503"),
    ]
    assert bulk.result(job["id"], "unprocessedrecords") == []


def test_a_job_is_described_as_by_an_org(bulk, rest, org) -> None:
    """The description has the upload URL of an open job, and the counts of a completed one."""
    job = bulk.open()
    document = rest("GET", f"{INGEST}/{job}").json()
    assert document["contentUrl"] == f"services/data/v62.0/jobs/ingest/{job}/batches"
    assert (document["apiVersion"], document["jobType"], document["lineEnding"], document["columnDelimiter"]) == (
        62.0,
        "V2Ingest",
        "LF",
        "COMMA",
    )
    bulk.upload(job, "LastName\nKim\n")
    document = bulk.close(job)
    assert "contentUrl" not in document
    assert {"retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"} <= document.keys()
    assert [record["id"] for record in rest("GET", INGEST).json()["records"]] == [job]
    assert rest("GET", QUERY).json() == {"done": True, "nextRecordsUrl": None, "records": []}
    assert rest("GET", f"{INGEST}/{job[:15]}/").json()["id"] == job
    assert rest("GET", "").json()["jobs"] == "/services/data/v62.0/jobs"


def test_update_upsert_and_delete(bulk, rest) -> None:
    """Each operation has the same effect as the corresponding REST call."""
    contact = rest.create("Contact", LastName="Old", Product_User_Id__c=600, Title="Chief")
    other_contact = rest.create("Contact", LastName="Gone")
    job = bulk.run(f"Id,LastName,Title,Phone\n{contact},New,#N/A,\n003000000000000AAA,Ghost,,\n", "update")
    (failed,) = bulk.result(job["id"], "failedResults")
    assert failed["sf__Id"] == "003000000000000AAA"
    assert failed["sf__Error"] == "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"
    row = rest("GET", f"/sobjects/Contact/{contact}").json()
    assert (row["LastName"], row["Title"]) == ("New", None)
    job = bulk.run(f"Id\n{other_contact}\n", "delete")
    assert job["numberRecordsFailed"] == 0
    assert rest("GET", f"/sobjects/Contact/{other_contact}").status_code == 404


def test_cells_are_read_by_the_rules_for_csv(bulk, rest) -> None:
    """An empty cell is ignored, #N/A clears a field, and `yes` means true."""
    (user,) = rest.rows("SELECT Id FROM User LIMIT 1")
    lead = rest.create("Lead", LastName="Lee", Company="Acme", Title="Chief", Phone="1")
    job = bulk.run(f"Id,Title,Phone,OwnerId\n{lead},,#N/A,{user['Id']}\n", "update", "Lead")
    assert job["numberRecordsFailed"] == 0, bulk.result(job["id"], "failedResults")
    row = rest("GET", f"/sobjects/Lead/{lead}").json()
    assert (row["Title"], row["Phone"]) == ("Chief", None)
    job = bulk.run("Name,IsActive\nOne,yes\nTwo,0\nThree,perhaps\n", name="Campaign")
    assert [
        campaign["IsActive"]
        for campaign in rest.rows("SELECT IsActive FROM Campaign WHERE Name IN ('One', 'Two') ORDER BY Name")
    ] == [
        True,
        False,
    ]
    (failed,) = bulk.result(job["id"], "failedResults")
    assert failed["sf__Error"].startswith(
        "INVALID_FIELD:Failed to deserialize field at col 1. Due to, 'perhaps' is not a valid value for the type xsd:boolean:IsActive --"
    )


def test_delimiters_line_endings_and_quotes(bulk, rest) -> None:
    """The job specifies the format of its table, and results have the same format."""
    job = bulk.run(
        'LastName;Description\r\nQuo;"two ""quoted""\r\nlines; here"\r\n',
        columnDelimiter="SEMICOLON",
        lineEnding="CRLF",
    )
    assert rest.value("SELECT Description FROM Contact WHERE LastName = 'Quo'") == 'two "quoted"\r\nlines; here'
    text = rest("GET", f"{INGEST}/{job['id']}/successfulResults").content.decode()
    assert text.startswith('"sf__Id";"sf__Created";LastName;Description\r\n"003')
    assert text.endswith(';"true";"Quo";"two ""quoted""\r\nlines; here"\r\n')


@pytest.mark.parametrize(
    ("operation", "text", "message"),
    [
        ("insert", "LastName,Ghost__c\nKim,1\n", "InvalidBatch : Field name not found : Ghost__c"),
        ("update", "LastName\nKim\n", "InvalidBatch : Field name not found : Id"),
        ("insert", "Account.Nope__c,LastName\n1,Kim\n", "InvalidBatch : Field name not found : Account.Nope__c"),
        (
            "insert",
            "LastName\r\nKim\r\n",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
    ],
)
def test_a_table_that_is_wrong_fails_the_job_and_writes_nothing(bulk, rest, operation, text, message) -> None:
    """The whole job fails with the platform's message before any row is written."""
    before = rest("GET", "/query", params={"q": "SELECT COUNT() FROM Contact"}).json()
    job = bulk.run(text, operation)
    assert (job["state"], job["errorMessage"]) == ("Failed", message)
    assert job["numberRecordsProcessed"] == 0
    assert rest("GET", "/query", params={"q": "SELECT COUNT() FROM Contact"}).json() == before
    assert len(bulk.result(job["id"], "unprocessedRecords")) == 1


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"object": "Ghost", "operation": "insert"}, "INVALIDJOB", "InvalidJob : Unable to find object: Ghost"),
        (
            {"object": "Contact", "operation": "merge"},
            "API_ERROR",
            "Invalid value: 'merge' supplied for property: 'operation'",
        ),
        (
            {"object": "Contact", "operation": "insert", "contentType": "JSON"},
            "API_ERROR",
            "Invalid value: 'JSON' supplied for property: 'contentType'",
        ),
        (
            {"object": "Contact", "operation": "insert", "lineEnding": "CR"},
            "API_ERROR",
            "Invalid value: 'CR' supplied for property: 'lineEnding'",
        ),
        (
            {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Title"},
            "INVALIDJOB",
            "InvalidJob : Field name provided, Title does not match an External ID for Contact",
        ),
        (
            {"object": "Contact", "operation": "hardDelete"},
            "FEATURENOTENABLED",
            "FeatureNotEnabled : hardDelete operation requires special user profile permission, please contact your system administrator",
        ),
    ],
)
def test_invalid_jobs_are_refused_when_created(rest, body, code, message) -> None:
    """Problems that are known at creation are refused then, and no job is created."""
    assert rest.error("POST", INGEST, json=body) == (400, code, message, None)
    assert rest("GET", INGEST).json()["records"] == []


def test_a_job_state_never_goes_back(bulk, rest) -> None:
    """A job is uploaded once and closed once, and cannot be aborted or deleted in the wrong state."""
    job = bulk.open()
    bulk.upload(job, "LastName\nKim\n")
    twice = rest.error("PUT", f"{INGEST}/{job}/batches", data=b"LastName\nLee\n")
    assert (twice[0], twice[1], twice[2][:49]) == (
        400,
        "BULK_API_ERROR",
        f"Found multipe contents for job: <{job[:15]}>"[:49],
    )
    assert rest.error("DELETE", f"{INGEST}/{job}")[1] == "INVALIDJOBSTATE"
    assert rest.error("GET", f"{INGEST}/{job}/failedResults")[1] == "INVALIDJOBSTATE"
    bulk.close(job)
    closed = (400, "INVALIDJOBSTATE", "Closing already Completed Job not allowed", None)
    assert rest.error("PATCH", f"{INGEST}/{job}", json={"state": "UploadComplete"}) == closed
    aborted = (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed", None)
    assert rest.error("PATCH", f"{INGEST}/{job}", json={"state": "Aborted"}) == aborted
    assert rest("DELETE", f"{INGEST}/{job}").status_code == 204
    assert rest("GET", f"{INGEST}/{job}").status_code == 404


def test_an_aborted_job_writes_nothing(bulk, rest) -> None:
    """The uploaded rows are returned as unprocessed."""
    job = bulk.open()
    bulk.upload(job, "LastName\nNobody\n")
    assert rest("PATCH", f"{INGEST}/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert bulk.result(job, "unprocessedrecords") == [{"LastName": "Nobody"}]
    assert rest.rows("SELECT Id FROM Contact WHERE LastName = 'Nobody'") == []


def test_a_job_and_its_rows_may_come_together(bulk, rest) -> None:
    """One multipart request creates the job, uploads the rows and closes it."""
    files = {
        "job": ("", '{"object": "Contact", "operation": "insert", "contentType": "CSV"}', "application/json"),
        "content": ("content", "LastName\nTogether\n", "text/csv"),
    }
    answer = rest("POST", INGEST, files=files)
    assert (answer.status_code, answer.json()["state"]) == (200, "UploadComplete")
    assert bulk.end(f"{INGEST}/{answer.json()['id']}")["numberRecordsProcessed"] == 1
    assert len(rest.rows("SELECT Id FROM Contact WHERE LastName = 'Together'")) == 1


def test_many_rows_go_in_batches(bulk, rest) -> None:
    """Seven hundred rows are processed in four batches, and every row is written once."""
    rows = "".join(f"Many{number}\n" for number in range(700))
    job = bulk.run("LastName\n" + rows)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (700, 0)
    assert (
        rest("GET", "/query", params={"q": "SELECT COUNT() FROM Contact WHERE LastName LIKE 'Many%'"}).json()[
            "totalSize"
        ]
        == 700
    )


def test_a_query_is_answered_in_pages_of_csv(bulk, rest) -> None:
    """Each page has the header, the number of its rows, and the locator of the next page."""
    job = bulk.query("SELECT name, account.NAME, c.IsDeleted, CreatedDate FROM Contact c ORDER BY Name")
    assert (job["state"], job["object"], job["operation"]) == ("JobComplete", "Contact", "query")
    assert job["numberRecordsProcessed"] == 30
    rows, locator, pages = [], "", 0
    while locator != "null":
        answer = rest("GET", f"{QUERY}/{job['id']}/results", params={"maxRecords": 12, "locator": locator})
        table = list(csv.reader(io.StringIO(answer.text)))
        assert table[0] == ["Name", "Account.Name", "IsDeleted", "CreatedDate"]
        assert answer.headers["Sforce-NumberOfRecords"] == str(len(table) - 1)
        rows += table[1:]
        locator, pages = answer.headers["Sforce-Locator"], pages + 1
    assert (pages, len(rows)) == (3, 30)
    records = rest.rows("SELECT Name, Account.Name, IsDeleted, CreatedDate FROM Contact ORDER BY Name")
    assert rows[0] == [
        records[0]["Name"],
        (records[0]["Account"] or {"Name": ""})["Name"],
        "false",
        records[0]["CreatedDate"].replace("+0000", "Z"),
    ]


def test_a_query_result_has_the_delimiter_of_its_job(bulk, rest) -> None:
    """The result has the delimiter and the line ending of the job; without rows it has only the header."""
    document = bulk.query(
        "SELECT Id, Name FROM Contact WHERE Name = 'nobody'", columnDelimiter="PIPE", lineEnding="CRLF"
    )
    answer = rest("GET", f"{QUERY}/{document['id']}/results")
    assert (answer.text, answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"]) == (
        '"Id"|"Name"\r\n',
        "0",
        "null",
    )
    assert rest("DELETE", f"{QUERY}/{document['id']}").status_code == 204
    assert rest("GET", f"{QUERY}/{document['id']}/results").status_code == 404


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("SELECT COUNT(Id) FROM Contact", "FUNCTIONALITY_NOT_ENABLED", "Aggregate Relationships not supported"),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "FUNCTIONALITY_NOT_ENABLED",
            "Nested queries not supported",
        ),
        ("SELECT MailingAddress FROM Contact", "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported"),
        ("SELECT Id FROM Contact OFFSET 5", "FUNCTIONALITY_NOT_ENABLED", "OFFSET not supported"),
        ("SELECT Ghost FROM Contact", "INVALID_FIELD", "No such column 'Ghost'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", ""),
        ("", "MALFORMED_QUERY", ""),
    ],
)
def test_unsupported_queries_are_refused_when_created(rest, text, code, message) -> None:
    """Queries that Bulk API does not support create no job."""
    status, error_code, words, _ = rest.error("POST", QUERY, json={"operation": "query", "query": text})
    assert (status, error_code) == (400, code)
    assert message in words


def test_ingest_jobs_and_query_jobs_are_separate(bulk, rest) -> None:
    """A query job is not found among the ingest jobs; a wrong locator or size is refused."""
    document = bulk.query("SELECT Id FROM Contact")
    assert rest("GET", f"{INGEST}/{document['id']}").status_code == 404
    assert (
        rest.error("GET", f"{QUERY}/{document['id']}/results", params={"locator": "%%"})[1] == "INVALID_QUERY_LOCATOR"
    )
    assert rest.error("GET", f"{QUERY}/{document['id']}/results", params={"maxRecords": "-1"})[1] == "API_ERROR"
    aborted = (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed", None)
    assert rest.error("PATCH", f"{QUERY}/{document['id']}", json={"state": "Aborted"}) == aborted
    assert rest("GET", f"{INGEST}/{document['id']}/nonsense").status_code == 404


def test_jobs_are_deleted_after_seven_days(bulk, rest, clock) -> None:
    """Jobs are kept for seven days."""
    old = bulk.query("SELECT Id FROM Contact")["id"]
    clock.wait(days=8)
    bulk.query("SELECT Id FROM Contact")
    assert rest("GET", f"{QUERY}/{old}").status_code == 404


@pytest.fixture
def external_ids(state) -> None:
    """Deploy external ID fields on accounts and contacts, and access to them, before the org is served."""
    names = ("Account.Ext__c", "Contact.Ext__c")
    field = {"label": "Ext", "type": "Text", "length": 80, "externalId": True, "unique": True}
    permission_set = {"label": "Ext", "fieldPermissions": {key: {"editable": True, "readable": True} for key in names}}
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.settings.get("admin_id") or ""
        for name in names:
            tx.components.put(Component("CustomField", name, field), user_id=admin, now=NOON)
        stored = tx.components.put(Component("PermissionSet", "Ext", permission_set), user_id=admin, now=NOON)
        assigned = {"AssigneeId": admin, "PermissionSetId": stored.id, "IsActive": True}
        tx.records.insert("PermissionSetAssignment", assigned, user_id=admin, now=NOON)


def test_records_and_their_parents_are_found_by_external_ids(external_ids, bulk, rest) -> None:
    """A known external ID updates its record, and a new one creates a record; parents are found by their own external IDs."""
    account = rest.create("Account", Name="Parent", Ext__c="A-1")
    contact = rest.create("Contact", LastName="Known", Ext__c="C-1")
    text = "Ext__c,LastName,Account.Ext__c\nC-1,Renamed,A-1\nC-2,New,A-1\n,Keyless,\nC-3,Orphan,A-9\n"
    job = bulk.run(text, "upsert", externalIdFieldName="ext__c")
    assert (job["externalIdFieldName"], job["numberRecordsFailed"]) == ("Ext__c", 2)
    successes = bulk.result(job["id"], "successfulResults")
    assert [(row["sf__Created"], row["Account.Ext__c"]) for row in successes] == [("false", "A-1"), ("true", "A-1")]
    assert successes[0]["sf__Id"] == contact
    assert [
        row["LastName"]
        for row in rest.rows(f"SELECT LastName FROM Contact WHERE AccountId = '{account}' ORDER BY Ext__c")
    ] == ["Renamed", "New"]
    errors = [row["sf__Error"] for row in bulk.result(job["id"], "failedResults")]
    assert errors[0] == "MISSING_ARGUMENT:Ext__c not specified:--"
    assert errors[1].startswith(
        "INVALID_FIELD:Foreign key external ID: A-9 not found for field Ext__c in entity Account"
    )


def test_a_job_of_a_stopped_server_is_resumed_after_its_last_batch(state, clock) -> None:
    """The next request for the job resumes it, and no row is written twice."""
    with serve(state, clock=clock) as org:
        rest = Rest(org)
        with rest.session:
            bulk = Bulk(rest)
            job = bulk.open()
            bulk.upload(job, "LastName\n" + "".join(f"Left{number}\n" for number in range(450)))
    with Store(state / "org.db") as store:
        half_done(OrgContext(store, clock), job)
    with serve(state, clock=clock) as org:
        rest = Rest(org)
        with rest.session:
            assert Bulk(rest).end(f"{INGEST}/{job}")["numberRecordsProcessed"] == 450
            assert len(rest.rows("SELECT Id FROM Contact WHERE LastName LIKE 'Left%'")) == 450


def half_done(context: OrgContext, job_id: str) -> None:
    """Process one batch of a job, like a process that is killed afterwards."""

    def begin(_tx: Any, job: Any) -> None:
        job["state"] = "InProgress"

    more = iter([True, False])
    ingest.run(context, change(context, job_id, begin), is_running=lambda: next(more))
    with context.store.read() as tx:
        assert (tx.bulk_jobs.count_rows(job_id), tx.bulk_jobs.get(job_id)["state"]) == (200, "InProgress")


def test_a_job_has_the_rights_of_its_creator(state, clock, rest, org) -> None:
    """Without access to an object a user cannot create a job for it; a field that the user cannot read is unknown."""
    names = {"Username": "bulk@northwind.example", "LastName": "Bulk", "Alias": "bulk", "Email": "b@x.example"}
    profile = rest.value("SELECT Id FROM Profile WHERE Name = 'Minimum Access - Salesforce'")
    usual = {
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }
    user = rest.create("User", **names, **usual, ProfileId=profile)
    rights = {"label": "Bulk", "objectPermissions": {"Contact": {"allowCreate": True, "allowRead": True}}}
    rights |= {"userPermissions": {"ApiEnabled": {"enabled": True}}}
    with Store(state / "org.db") as store, store.transaction() as tx:
        admin = tx.settings.get("admin_id") or ""
        stored = tx.components.put(Component("PermissionSet", "Bulk", rights), user_id=admin, now=NOON)
        assigned = {"AssigneeId": user, "PermissionSetId": stored.id, "IsActive": True}
        tx.records.insert("PermissionSetAssignment", assigned, user_id=admin, now=NOON)
        token = auth.get_or_create_token(tx, user, now=NOON, rng=random.Random(3))
    client = Rest(dataclasses.replace(org, access_token=token))
    with client.session:
        bulk = Bulk(client)
        job = bulk.run("LastName,Title\nMine,T\n")
        assert (job["state"], job["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Title")
        job = bulk.run("LastName\nMine\n")
        assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (1, 0), job
        assert rest.value("SELECT OwnerId FROM Contact WHERE LastName = 'Mine'") == user
        refused = client.error("POST", INGEST, json={"object": "Lead", "operation": "insert"})
        assert refused[1:3] == ("INVALIDJOB", "InvalidJob : Unable to find object: Lead")
        own_contact = rest.value("SELECT Id FROM Contact WHERE LastName = 'Mine'")
        job = bulk.run(f"Id\n{own_contact}\n", "delete")
        assert bulk.result(job["id"], "failedResults")[0]["sf__Error"].startswith("INSUFFICIENT_ACCESS")
