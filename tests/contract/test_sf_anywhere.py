"""
The unmodified sf CLI against the local org and the named org: commands that need no preparation.

A test creates one contact and deletes it.
"""

from __future__ import annotations

import pytest

from sfcode.org import Org
from tests.contract.sf import SfCli
from tests.contract.target_org import TargetOrg, rows


@pytest.mark.recorded("@salesforce/cli", "with_integration_user")
def test_a_record_is_created_read_changed_refused_listed_and_deleted(
    at_org: SfCli, org: TargetOrg, client: Org
) -> None:
    sf = at_org
    last = f"Van Dyke {org.word}"
    soql = f"SELECT Id, Title FROM Contact WHERE LastName = '{last}'"

    record_id = sf("data create record -s Contact -v", f"FirstName=Sofie LastName='{last}'")["result"]["id"]
    assert rows(client, soql) == [{"Id": record_id, "Title": None}]

    answer = sf("data get record -s Contact -w", f"FirstName=Sofie LastName='{last}'")
    assert (answer["result"]["Id"], answer["result"]["Name"]) == (record_id, f"Sofie {last}")

    sf("data update record -s Contact", "-i", record_id[:15], "-v", "Title='Chief Officer'")
    assert rows(client, soql) == [{"Id": record_id, "Title": "Chief Officer"}]

    refused = sf("data update record -s Contact", "-i", record_id, "-v", "Email=nonsense", code=1)
    assert (refused["name"], refused["data"]["fields"]) == ("INVALID_EMAIL_ADDRESS", ["Email"])

    # Without --json, sf also requests the columns, to print a table.
    table = sf.run(sf.home, "data", "query", "-q", soql)
    assert table.returncode == 0, table.stderr
    assert "TITLE" in table.stdout
    assert "Chief Officer" in table.stdout

    sf("data delete record -s Contact", "-i", record_id)
    assert rows(client, soql) == []


def test_objects_are_listed_and_described(at_org: SfCli, client: Org) -> None:
    answer = at_org("sobject list --sobject all")
    assert {"Account", "Contact", "Event", "Lead", "User"} <= set(answer["result"])
    answer = at_org("sobject describe -s Contact")
    described = {field["name"]: field for field in answer["result"]["fields"]}
    assert described.keys() == {field["name"] for field in client.rest.Contact.describe()["fields"]}
    assert (described["LastName"]["type"], described["LastName"]["nillable"]) == ("string", False)
    assert described["AccountId"]["referenceTo"] == ["Account"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("data query -q SELECT+Nope__c+FROM+Contact", "INVALID_FIELD"),
        ("sobject describe -s Nope", "NOT_FOUND"),
        ("org list metadata -m Nope", "sf:INVALID_TYPE"),
    ],
)
def test_missing_names_are_reported(at_org: SfCli, command: str, name: str) -> None:
    """sf shows the error code of the org."""
    words = [word.replace("+", " ") for word in command.split()]
    assert at_org(words[0], *words[1:], code=1)["name"] == name
