"""Records, one by one and many at once. The effect of each step is read with another client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from simple_salesforce import (
    Salesforce,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
    SFType,
    format_soql,
)
from simple_salesforce.format import format_external_id

from tests.contract.simple_salesforce.conftest import VERSION, Served

pytestmark = pytest.mark.recorded("simple-salesforce", "with_external_ids")

Step = Callable[[Salesforce, Served], None]


def create(sf: Salesforce, org: Served) -> None:
    answer = sf.Contact.create({"LastName": org.word, "FirstName": "Ji", org.number: 9001})
    assert (answer["success"], answer["errors"]) == (True, [])
    (row,) = org.rows("Contact", Id=answer["id"])
    assert (row["Name"], row[org.number]) == (f"Ji {org.word}", 9001)


def create_is_refused(sf: Salesforce, org: Served) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Contact.create({"FirstName": org.word})
    (error,) = refused.value.content
    assert (error["errorCode"], error["fields"]) == ("REQUIRED_FIELD_MISSING", ["LastName"])
    assert org.rows("Contact", FirstName=org.word) == []


def get(sf: Salesforce, org: Served) -> None:
    (record_id,) = org.make("Contact", {"LastName": org.word})
    record = sf.Contact.get(record_id)
    assert (record["Id"], record["LastName"], record["attributes"]["type"]) == (record_id, org.word, "Contact")


def get_a_missing_one(sf: Salesforce, _org: Served) -> None:
    with pytest.raises(SalesforceResourceNotFound) as missing:
        sf.Contact.get("003000000000000AAA")
    assert missing.value.content[0]["errorCode"] == "NOT_FOUND"


def get_by_custom_id(sf: Salesforce, org: Served) -> None:
    (record_id,) = org.make("Account", {"Name": org.word, org.external_id: f"{org.word}/1ü"})
    assert sf.Account.get_by_custom_id(org.external_id, f"{org.word}/1ü")["Id"] == record_id


def update(sf: Salesforce, org: Served) -> None:
    (record_id,) = org.make("Contact", {"LastName": org.word})
    assert sf.Contact.update(record_id, {"Title": "Chief"}) == 204
    assert org.rows("Contact", Id=record_id)[0]["Title"] == "Chief"


def update_answers_the_response_when_asked(sf: Salesforce, org: Served) -> None:
    (record_id,) = org.make("Contact", {"LastName": org.word, "Title": "Chief"})
    answer = sf.Contact.update(record_id, {"Title": None}, raw_response=True)
    assert (answer.status_code, answer.content) == (204, b"")
    assert org.rows("Contact", Id=record_id)[0]["Title"] is None


def upsert(sf: Salesforce, org: Served) -> None:
    key, key_value = f"{org.external_id}/{org.word}", {org.external_id: org.word}
    assert sf.Contact.upsert(key, {"LastName": f"{org.word}First"}) == 201
    assert sf.Contact.upsert(key, {"LastName": f"{org.word}Second"}) == 200
    assert [row["LastName"] for row in org.rows("Contact", **key_value)] == [f"{org.word}Second"]


def upsert_with_a_key_that_needs_quoting(sf: Salesforce, org: Served) -> None:
    key = f"{org.word} a/b c?"
    assert sf.Contact.upsert(format_external_id(org.external_id, key), {"LastName": org.word}) == 201
    assert org.rows("Contact", LastName=org.word)[0][org.external_id] == key


def a_parent_by_its_external_id(sf: Salesforce, org: Served) -> None:
    account = sf.Account.create({"Name": org.word, org.external_id: org.word})["id"]
    sf.Contact.create({"LastName": org.word, "Account": {org.external_id: org.word}})
    assert org.rows("Contact", LastName=org.word)[0]["AccountId"] == account


def delete(sf: Salesforce, org: Served) -> None:
    record_id = sf.Lead.create({"LastName": org.word, "Company": "Acme"})["id"]
    assert sf.Lead.delete(record_id) == 204
    assert org.rows("Lead", Id=record_id) == []
    with pytest.raises(SalesforceResourceNotFound):
        sf.Lead.delete(record_id)


def a_custom_object_by_its_class(sf: Salesforce, org: Served) -> None:
    contact = SFType("Contact", sf.session_id, sf.sf_instance, sf_version=VERSION, session=sf.session)
    record_id = contact.create({"LastName": org.word})["id"]
    assert org.rows("Contact", Id=record_id)[0]["LastName"] == org.word


def describe_one(sf: Salesforce, org: Served) -> None:
    fields = {field["name"]: field for field in sf.Contact.describe()["fields"]}
    key = fields[org.external_id]
    assert (key["externalId"], key["unique"], key["length"]) == (True, True, 80)
    assert fields["LastName"]["nillable"] is False
    assert fields["AccountId"]["referenceTo"] == ["Account"]


def describe_all(sf: Salesforce, _org: Served) -> None:
    objects_by_name = {sobject["name"]: sobject for sobject in (sf.describe() or {})["sobjects"]}
    assert {"Account", "Contact", "Event", "Lead", "Task", "User"} <= objects_by_name.keys()
    assert objects_by_name["Contact"]["keyPrefix"] == "003"


def metadata_of_an_object(sf: Salesforce, _org: Served) -> None:
    assert sf.Contact.metadata()["objectDescribe"]["name"] == "Contact"


def query(sf: Salesforce, org: Served) -> None:
    (account,) = org.make("Account", {"Name": org.word})
    org.make("Contact", {"LastName": org.word, "AccountId": account}, {"LastName": org.word})
    soql = (
        f"SELECT Id, Account.Name FROM Contact WHERE LastName = '{org.word}' AND AccountId != null ORDER BY Id LIMIT 1"
    )
    rows = sf.query(soql)
    (row,) = rows["records"]
    assert (rows["done"], row["Account"]["Name"]) == (True, org.word)
    assert org.rows("Contact", Id=row["Id"])[0]["AccountId"] == account


def query_with_children(sf: Salesforce, org: Served) -> None:
    (account,) = org.make("Account", {"Name": org.word})
    contact_ids = org.make(
        "Contact", *({"LastName": f"{org.word}{number}", "AccountId": account} for number in range(3))
    )
    records = sf.query(f"SELECT Id, (SELECT Id FROM Contacts) FROM Account WHERE Name LIKE '{org.word}%'")["records"]
    assert [{row["Id"] for row in record["Contacts"]["records"]} for record in records] == [{*contact_ids}]


def query_all_follows_the_pages(sf: Salesforce, org: Served) -> None:
    _fill(sf, org.word, 450)
    soql = f"SELECT Id FROM Contact WHERE LastName LIKE '{org.word}%'"
    first = sf.query(soql, headers={"Sforce-Query-Options": "batchSize=200"})
    assert (first["done"], len(first["records"]), first["totalSize"]) == (False, 200, 450)
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    third = sf.query_more(second["nextRecordsUrl"].rsplit("/", 1)[-1])
    assert (third["done"], len(third["records"])) == (True, 50)
    result = sf.query_all(soql, headers={"Sforce-Query-Options": "batchSize=200"})
    assert len({row["Id"] for row in result["records"]}) == org.count("Contact", f"LastName LIKE '{org.word}%'")
    lazily = sf.query_all_iter(soql, headers={"Sforce-Query-Options": "batchSize=200"})
    assert len({row["Id"] for row in lazily}) == 450


def query_including_deleted(sf: Salesforce, org: Served) -> None:
    org.make("Contact", {"LastName": org.word}, {"LastName": org.word})
    soql = f"SELECT Id FROM Contact WHERE LastName = '{org.word}'"
    assert sf.query(soql, include_deleted=True)["totalSize"] == 2


def values_are_quoted(sf: Salesforce, org: Served) -> None:
    name = f"""{org.word} O'Brien "the\\ \n\t new" %_"""
    record_id = sf.Contact.create({"LastName": name, "Birthdate": "1990-02-03"})["id"]
    for condition in (
        format_soql("LastName = {}", name),
        format_soql("LastName IN {}", [name, "x"]),
        format_soql("Id = {} AND Birthdate = {}", record_id, date(1990, 2, 3)),
        format_soql("Id = {} AND CreatedDate > {}", record_id, datetime.now(UTC) - timedelta(minutes=5)),
        format_soql("IsDeleted = {} AND Id = {}", False, record_id),
        format_soql("Title = {} AND Id = {}", None, record_id),
    ):
        rows = sf.query(f"SELECT Id FROM Contact WHERE {condition}")
        assert record_id in [row["Id"] for row in rows["records"]], condition
    like = format_soql("SELECT Id FROM Contact WHERE LastName LIKE '{:like}%'", org.word)
    assert [row["Id"] for row in sf.query(like)["records"]] == [record_id]
    like = format_soql("SELECT Id FROM Contact WHERE Id = {} AND LastName LIKE '%{:like}'", record_id, "%_")
    assert [row["Id"] for row in sf.query(like)["records"]] == [record_id]


def a_wrong_query(sf: Salesforce, _org: Served) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Nope' on entity 'Contact'"):
        sf.query("SELECT Nope FROM Contact")


def an_expired_session(sf: Salesforce, org: Served) -> None:
    stale = Salesforce(session_id="00D000000000001!no", instance=org.host, version=VERSION, session=sf.session)
    with pytest.raises(SalesforceExpiredSession) as expired:
        stale.query("SELECT Id FROM User")
    assert expired.value.content[0]["errorCode"] == "INVALID_SESSION_ID"


def limits_and_usage(sf: Salesforce, _org: Served) -> None:
    assert sf.limits()["DailyApiRequests"]["Max"] >= 1000
    used = sf.api_usage["api-usage"]
    assert 0 < used.used <= used.total


def is_sandbox(sf: Salesforce, org: Served) -> None:
    assert sf.is_sandbox() == org.rows("Organization")[0]["IsSandbox"]


def who_am_i(sf: Salesforce, org: Served) -> None:
    user_info = sf.oauth2("userinfo")
    assert (user_info["preferred_username"], user_info["organization_id"]) == (org.username, org.org_id)
    assert sf.restful("")["identity"].endswith(f"/id/{org.org_id}/{user_info['user_id']}")


def restful_collections(sf: Salesforce, org: Served) -> None:
    records = [{"attributes": {"type": "Contact"}, "LastName": org.word + name} for name in ("One", "Two")]
    records.append({"attributes": {"type": "Contact"}})
    created = sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": records})
    assert [answer["success"] for answer in created] == [True, True, False]
    record_ids = [answer["id"] for answer in created[:2]]
    assert {row["Id"] for row in org.rows("Contact", f"LastName LIKE '{org.word}%'")} == {*record_ids}
    rolled_back = sf.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": records})
    assert rolled_back[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert len(org.rows("Contact", LastName=f"{org.word}One")) == 1
    deleted = sf.restful("composite/sobjects", method="DELETE", params={"ids": ",".join(record_ids)})
    assert [answer["success"] for answer in deleted] == [True, True]
    assert org.rows("Contact", LastName=f"{org.word}Two") == []


def tooling(sf: Salesforce, org: Served) -> None:
    soql = f"SELECT Id, DeveloperName FROM FlowDefinition WHERE DeveloperName = '{org.word}'"
    answer = sf.toolingexecute("query", params={"q": soql})
    assert (answer["done"], answer["records"]) == (True, [])


def a_wrong_path(sf: Salesforce, _org: Served) -> None:
    with pytest.raises((SalesforceResourceNotFound, SalesforceGeneralError)):
        sf.restful("nonsense")


def _fill(sf: Salesforce, word: str, count: int) -> None:
    for start in range(0, count, 200):
        records = [
            {"attributes": {"type": "Contact"}, "LastName": f"{word}{number}"}
            for number in range(start, min(count, start + 200))
        ]
        sf.restful("composite/sobjects", method="POST", json={"records": records})


STEPS: tuple[Step, ...] = (
    create,
    create_is_refused,
    get,
    get_a_missing_one,
    get_by_custom_id,
    update,
    update_answers_the_response_when_asked,
    upsert,
    upsert_with_a_key_that_needs_quoting,
    a_parent_by_its_external_id,
    delete,
    a_custom_object_by_its_class,
    describe_one,
    describe_all,
    metadata_of_an_object,
    query,
    query_with_children,
    query_all_follows_the_pages,
    query_including_deleted,
    values_are_quoted,
    a_wrong_query,
    an_expired_session,
    limits_and_usage,
    is_sandbox,
    who_am_i,
    restful_collections,
    tooling,
    a_wrong_path,
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_records_and_queries(step: Step, sf: Salesforce, served: Served) -> None:
    """simple-salesforce works as documented, and the org has the records afterwards."""
    step(sf, served)
