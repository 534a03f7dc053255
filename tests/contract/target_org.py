"""
The org that a client is tested against: the local org, or the one that SFCODE_TEST_ORG names.

Only the address and a token of a named org are known. The names of everything that a test creates there contain a word
of the test, by which this data is recognized and deleted again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sfcode.apply.flows import remove_flow
from sfcode.local import LocalOrg
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import Org, connect
from sfcode.org.results import DeployOptions

API_VERSION = "63.0"
CLIENT_VERSION = "68.0"
"""The newest API version of current orgs, which current clients use."""
LEADS = 450
"""The number of leads, which is more than fits on the requested pages."""
SHARED = "Ground"
"""A part of the names of data that all tests of a run share."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz"
_NAMED = {"Event": "Subject", "Contact": "LastName", "Lead": "LastName", "Account": "Name"}
"""
The objects of records that steps create, in the order in which the records can be deleted, and the field that contains
the test's word.
"""
_TYPES = ("PermissionSet", "Flow", "WorkflowOutboundMessage", "CustomField", "CustomObject", "StaticResource")


@dataclass(frozen=True)
class TargetOrg:
    """An org, and the data that a test needs to use it."""

    url: str
    access_token: str
    client: Org
    """A client that is independent of the tested one, to prepare and read the org."""
    word: str
    """The prefix of the names of everything that a test creates."""
    is_real: bool = False
    tls_url: str | None = None
    certificate: Path | None = None
    """The certificate to trust for `tls_url`; None if the machine trusts it anyway."""
    external_id: str = "Ext__c"
    """A unique text field of accounts and contacts."""
    number: str = "Product_User_Id__c"
    """A number field of contacts."""
    firm: str = "Many"
    """The company of the existing leads."""

    @property
    def username(self) -> str:
        return self.client.identity.username

    @property
    def user_id(self) -> str:
        return self.client.identity.user_id

    @property
    def org_id(self) -> str:
        return self.client.identity.org_id

    @cached_property
    def person(self) -> str:
        """The name of the signed-in user."""
        return str(rows(self.client, f"SELECT Name FROM User WHERE Id = '{self.user_id}'")[0]["Name"])

    @property
    def wait(self) -> float:
        """The seconds between two polls."""
        return 1.0 if self.is_real else 0.01

    @property
    def environ(self) -> Mapping[str, str]:
        """Return the environment in which a program trusts the certificate of the org."""
        if self.certificate is None:
            return {}
        return {"REQUESTS_CA_BUNDLE": str(self.certificate), "NODE_EXTRA_CA_CERTS": str(self.certificate)}

    def rows(self, name: str, condition: str = "", **field_values: Any) -> list[dict[str, Any]]:
        """Read records with all their fields; `where` is a condition in SOQL, and further arguments are values of fields."""
        conditions = [
            *filter(None, [condition]),
            *(f"{field} = {_quoted(value)}" for field, value in field_values.items()),
        ]
        clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return rows(self.client, f"SELECT FIELDS(ALL) FROM {name}{clause} LIMIT 200")

    def count(self, name: str, condition: str) -> int:
        return self.client.count(f"SELECT COUNT() FROM {name} WHERE {condition}")

    def component(self, type: str, name: str) -> Mapping[str, Any] | None:
        """Read the body of a component; None if it does not exist."""
        components = self.client.metadata.read_metadata(type, [name])
        return components[0].body if components else None

    def make(self, name: str, *records: Mapping[str, Any]) -> list[str]:
        """Create records without the tested client; return their IDs."""
        return [self.client.create(name, record) for record in records]


def _quoted(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return {None: "null", True: "true", False: "false"}.get(value, str(value))
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def rows(client: Org, query: str) -> list[dict[str, Any]]:
    """Query the org without the tested client."""
    records = client.rest.query_all(query)["records"]
    return [{name: value for name, value in row.items() if name != "attributes"} for row in records]


def deploy(client: Org, *components: Component, deleted: tuple[Address, ...] = ()) -> None:
    """Deploy or delete components without the tested client."""
    package = zip_files(write(components, API_VERSION, deleted=deleted))
    result = client.metadata.follow(client.metadata.deploy(package, DeployOptions()))
    assert result.success, result.failures


@contextlib.contextmanager
def local(org: LocalOrg) -> Iterator[TargetOrg]:
    """Return a served local org."""
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API_VERSION) as client:
        yield TargetOrg(org.url, org.access_token, client, "Ours", False, org.tls_url, org.certificate)


@dataclass
class NamedOrg:
    """The org that SFCODE_TEST_ORG names, for a whole run."""

    org: TargetOrg
    tests: int = 0

    def for_test(self) -> TargetOrg:
        """Return the org with a word that is unique to a test."""
        self.tests += 1
        return replace(self.org, word=f"{self.org.word}{_LETTERS[self.tests // 24 % 24]}{_LETTERS[self.tests % 24]}")


@contextlib.contextmanager
def opened(name: str, environ: Mapping[str, str]) -> Iterator[NamedOrg]:
    """Sign in to an org by its name as `--org` accepts it; delete the test data at the end."""
    word = "T" + "".join(secrets.choice(_LETTERS) for _ in range(5))
    with connect(name, environ=environ, api_version=API_VERSION) as client:
        url = client.instance_url
        token = client._connection.session.token.reveal()
        trusted = os.environ.get("REQUESTS_CA_BUNDLE")
        target_org = TargetOrg(url, token, client, word, True, url if url.startswith("https:") else None)
        target_org = replace(target_org, certificate=Path(trusted) if trusted else None)
        prefix = f"{word}{SHARED}"
        target_org = replace(target_org, external_id=f"{prefix}Ext__c", number=f"{prefix}Number__c", firm=prefix)
        try:
            yield NamedOrg(target_org)
        finally:
            delete_test_data(client, word, include_shared=True)


def create_shared_data(target_org: TargetOrg) -> None:
    """Create the components and records that many steps need: external IDs, a number field, and leads for several pages."""
    prefix, client = f"{target_org.word}{SHARED}", target_org.client
    text = {"label": "Ext", "type": "Text", "length": 80, "externalId": True, "unique": True}
    number = {"label": "Number", "type": "Number", "precision": 18, "scale": 0}
    fields = [Component("CustomField", f"{name}.{target_org.external_id}", text) for name in ("Account", "Contact")]
    fields += [Component("CustomField", f"{name}.{target_org.number}", number) for name in ("Contact", "Lead")]
    permissions_by_field = {entry.full_name: {"editable": True, "readable": True} for entry in fields}
    deploy(
        client, *fields, Component("PermissionSet", prefix, {"label": prefix, "fieldPermissions": permissions_by_field})
    )
    (permissions,) = rows(client, f"SELECT Id FROM PermissionSet WHERE Name = '{prefix}'")
    client.create("PermissionSetAssignment", {"AssigneeId": target_org.user_id, "PermissionSetId": permissions["Id"]})
    records = [{"attributes": {"type": "Lead"}, "LastName": f"{prefix}Lead", "Company": prefix} for _ in range(LEADS)]
    for start in range(0, LEADS, 200):
        body = {"allOrNone": True, "records": records[start : start + 200]}
        answers = client.rest.restful("composite/sobjects", method="POST", json=body)
        assert all(entry["success"] for entry in answers), answers


def delete_test_data(client: Org, word: str, *, include_shared: bool = False) -> None:
    """Delete everything whose name contains the test's word; delete shared data only with `include_shared`."""
    for name, field in _NAMED.items():
        _delete_records(client, name, f"{field} LIKE '%{word}%'", include_shared)
    sets = f"PermissionSet.Name LIKE '{word}%'"
    _delete_records(client, "PermissionSetAssignment", sets, include_shared, excluded="PermissionSet.Name")
    listed = [Address(entry.type, entry.full_name) for entry in client.metadata.list_metadata(*_TYPES)]
    addresses = [
        entry
        for entry in listed
        if word in entry.full_name and (include_shared or f"{word}{SHARED}" not in entry.full_name)
    ]
    for flow in (entry for entry in addresses if entry.type == "Flow"):
        remove_flow(client, flow)
    # The components of a custom object are deleted with the object.
    objects = {entry.full_name for entry in addresses if entry.type == "CustomObject"}
    deletions = [
        entry for entry in addresses if entry.type != "Flow" and entry.full_name.partition(".")[0] not in objects
    ]
    deletions += [Address("CustomObject", name) for name in objects]
    if deletions:
        deploy(client, deleted=tuple(dict.fromkeys(deletions)))


def _delete_records(client: Org, name: str, condition: str, include_shared: bool, excluded: str = "") -> None:
    field = excluded or _NAMED[name]
    but = "" if include_shared else f" AND (NOT {field} LIKE '%{SHARED}%')"
    record_ids = [row["Id"] for row in rows(client, f"SELECT Id FROM {name} WHERE {condition}{but}")]
    for start in range(0, len(record_ids), 200):
        ids = ",".join(record_ids[start : start + 200])
        answers = client.rest.restful("composite/sobjects", method="DELETE", params={"ids": ids})
        assert all(answer["success"] for answer in answers), answers
