"""
The sf CLI as it is, against the local org, and against the real one that SFCODE_TEST_ORG names (alias:NAME): what needs no set-up.

Both are held to the same steps. They make one contact and delete it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sfcode.org import Org, connect
from tests.contract.project import API_VERSION, rows
from tests.contract.sf import SfCli


@dataclass(frozen=True)
class Place:
    """An org: sf is pointed at it, and another client looks into it."""

    sf: SfCli
    ours: Org


@pytest.fixture(params=["local", pytest.param("real", marks=pytest.mark.org)])
def place(request: pytest.FixtureRequest, sf_cli: SfCli) -> Iterator[Place]:
    """Give the local org and, where one is named, a real one."""
    if request.param == "local":
        yield Place(request.getfixturevalue("at_org"), request.getfixturevalue("ours"))
        return
    kind, _, alias = request.getfixturevalue("org_name").partition(":")
    if kind != "alias":
        pytest.skip("sf needs an org that it is signed in to: SFCODE_TEST_ORG=alias:NAME")
    # What sf knows of the org is in the home, and the keychain, of whoever runs this.
    own = {name: os.environ.get(name, "") for name in ("HOME", "SF_USE_GENERIC_UNIX_KEYCHAIN")}
    sf = SfCli(sf_cli.command, sf_cli.home, {**own, "SF_TARGET_ORG": alias})
    with connect(f"alias:{alias}", environ=dict(os.environ), api_version=API_VERSION) as ours:
        yield Place(sf, ours)


@pytest.mark.recorded("@salesforce/cli", "with_integration_user")
def test_a_record_is_made_read_changed_refused_listed_and_deleted(place: Place) -> None:
    sf, ours = place.sf, place.ours
    last = "Van Dyke sfcode-contract"
    named = f"SELECT Id, Title FROM Contact WHERE LastName = '{last}'"

    made = sf("data create record -s Contact -v", f"FirstName=Sofie LastName='{last}'")["result"]["id"]
    assert rows(ours, named) == [{"Id": made, "Title": None}]

    done = sf("data get record -s Contact -w", f"FirstName=Sofie LastName='{last}'")
    assert (done["result"]["Id"], done["result"]["Name"]) == (made, f"Sofie {last}")

    sf("data update record -s Contact", "-i", made[:15], "-v", "Title='Chief Officer'")
    assert rows(ours, named) == [{"Id": made, "Title": "Chief Officer"}]

    refused = sf("data update record -s Contact", "-i", made, "-v", "Email=nonsense", code=1)
    assert (refused["name"], refused["data"]["fields"]) == ("INVALID_EMAIL_ADDRESS", ["Email"])

    # Without --json sf asks for the columns as well, to print a table.
    table = sf.run(sf.home, "data", "query", "-q", named)
    assert table.returncode == 0, table.stderr
    assert "TITLE" in table.stdout
    assert "Chief Officer" in table.stdout

    sf("data delete record -s Contact", "-i", made)
    assert rows(ours, named) == []


def test_objects_are_listed_and_described(place: Place) -> None:
    done = place.sf("sobject list --sobject all")
    assert {"Account", "Contact", "Event", "Lead", "User"} <= set(done["result"])
    done = place.sf("sobject describe -s Contact")
    described = {field["name"]: field for field in done["result"]["fields"]}
    assert described.keys() == {field["name"] for field in place.ours.rest.Contact.describe()["fields"]}
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
def test_what_is_not_there_is_named(place: Place, command: str, name: str) -> None:
    """sf shows the org's own code."""
    words = [word.replace("+", " ") for word in command.split()]
    assert place.sf(words[0], *words[1:], code=1)["name"] == name
