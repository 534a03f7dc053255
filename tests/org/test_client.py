"""
The client against the local org, both live and against recorded answers.

A cassette shows that the client sends the same requests as before and understands the answers, without a server. Its
header names its origin; `make record` records it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sfcode.errors import SignInError
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import read, write, zip_files
from sfcode.org import DeployOptions, Org, Runtime, connect

CASSETTES = Path(__file__).parent / "cassettes"
ADDRESS = "http://127.0.0.1:8300"
TOKEN = "00D000000000001!REDACTED"
FIELD = Component(
    "CustomField",
    "Contact.Sfcode_Recorded__c",
    {"label": "Recorded", "type": "Text", "length": 40, "required": False, "unique": False, "externalId": False},
)
SET = Component(
    "PermissionSet",
    "Sfcode_Recorded",
    {"label": "Recorded", "fieldPermissions": {FIELD.full_name: {"editable": True, "readable": True}}},
)
WRONG = Component(
    "PermissionSet",
    "Sfcode_Wrong",
    {"label": "W", "fieldPermissions": {"Contact.No__c": {"editable": True, "readable": True}}},
)


@dataclass(frozen=True)
class Target:
    url: str
    token: str
    runtime: Runtime


@pytest.fixture(params=[pytest.param("recorded", marks=pytest.mark.vcr), "live"])
def target(request: pytest.FixtureRequest, record_mode: str, tmp_path: Path) -> Iterator[Target]:
    """Return the org to use: a local org, or for recorded answers an address without a server."""
    if request.param == "recorded" and record_mode == "none":
        yield Target(ADDRESS, TOKEN, Runtime(sleep=lambda _: None))
        return
    from sfcode.local import serve

    with serve(tmp_path) as local:
        yield Target(local.url, local.access_token, Runtime())


def sign_in(target: Target, token: str) -> Org:
    return connect(target.url, environ={"SF_ACCESS_TOKEN": token}, api_version="63.0", runtime=target.runtime)


@pytest.fixture
def org(target: Target) -> Iterator[Org]:
    with sign_in(target, target.token) as org:
        yield org


def package(*components: Component, deleted: tuple[Address, ...] = ()) -> bytes:
    return zip_files(write(components, "63.0", deleted=deleted))


def test_returns_the_identity_of_the_org(org: Org) -> None:
    identity = org.identity
    assert len(identity.org_id) == 18
    assert identity.org_id.startswith("00D")
    assert identity.user_id.startswith("005")
    assert "@" in identity.username
    assert identity.name
    assert identity.organization_type


def test_deploys_follows_and_retrieves(org: Org) -> None:
    statuses = []
    deploy_id = org.metadata.deploy(package(FIELD, SET), DeployOptions())
    result = org.metadata.follow(deploy_id, statuses.append)
    assert result.success
    assert result.id == deploy_id
    assert statuses[-1] == result
    assert {message.full_name for message in result.successes if message.created} >= {FIELD.full_name, SET.full_name}
    retrieved = org.metadata.retrieve(
        {"CustomField": [FIELD.full_name], "PermissionSet": [SET.full_name, "Sfcode_None"]}
    )
    bodies = {component.full_name: component.body for component in read(retrieved.files)}
    assert bodies[FIELD.full_name]["length"] == 40
    assert bodies[SET.full_name]["fieldPermissions"] == SET.body["fieldPermissions"]
    assert len(retrieved.messages) == 1


def test_a_refused_package_names_component_and_place(org: Org) -> None:
    deploy_id = org.metadata.deploy(package(FIELD, WRONG), DeployOptions())
    result = org.metadata.follow(deploy_id)
    assert (result.done, result.success, result.status) == (True, False, "Failed")
    (failure,) = result.failures
    assert (failure.type, failure.full_name) == ("PermissionSet", "Sfcode_Wrong")
    assert failure.file_name == "permissionsets/Sfcode_Wrong.permissionset"
    assert "Contact.No__c" in failure.problem
    assert failure.problem_type == "Error"


def test_a_check_deploys_nothing(org: Org) -> None:
    result = org.metadata.follow(org.metadata.deploy(package(FIELD), DeployOptions(check_only=True)))
    assert result.success
    assert result.check_only
    assert org.metadata.read_metadata("CustomField", [FIELD.full_name]) == ()


def test_lists_and_describes_metadata(org: Org) -> None:
    assert {"PermissionSet", "Flow", "Workflow"} <= {kind.name for kind in org.metadata.describe_metadata().types}
    assert all(item.type == "CustomField" for item in org.metadata.list_metadata("CustomField"))


def test_describes_objects(org: Org) -> None:
    # One request after the other, since recordings do not support concurrent ones.
    assert org.describe(["Sfcode_None__c"]).objects == {}
    contact = org.describe(["Contact"]).objects
    assert list(contact) == ["Contact"]
    assert contact["Contact"].fields["LastName"].required
    assert not contact["Contact"].fields["LastName"].permissionable


def test_records_come_and_go(org: Org) -> None:
    record_id = org.create("Contact", {"LastName": "O'Hara"})
    org.update("Contact", record_id, {"Title": "Pilot"})
    assert org.query("SELECT Id, Title FROM Contact WHERE LastName = {}", "O'Hara") == [
        {"Id": record_id, "Title": "Pilot"}
    ]
    org.delete("Contact", record_id)
    assert org.count("SELECT COUNT() FROM Contact WHERE LastName = {}", "O'Hara") == 0


ASK = {
    "rest": lambda org: org.query("SELECT Id FROM User"),
    "soap": lambda org: org.metadata.list_metadata("Flow"),
    "identity": lambda org: org.identity,
}


@pytest.mark.parametrize("ask", list(ASK))
def test_an_ended_session_is_reported(target: Target, ask: str) -> None:
    with sign_in(target, "00D000000000001!expired") as org, pytest.raises(SignInError) as caught:
        ASK[ask](org)
    assert caught.value.code == "INVALID_SESSION_ID"


def test_each_cassette_names_its_origin_and_contains_no_token() -> None:
    cassettes = sorted(CASSETTES.rglob("*.yaml"))
    assert len(cassettes) == 10
    for path in cassettes:
        against = yaml.safe_load(path.read_text())["recorded_against"]
        assert against["server"].startswith("the local org of sfcode ")
        assert against["salesforce"] is False
        assert against["on"]
        assert "Bearer" not in path.read_text()
