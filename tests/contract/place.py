"""
The org that a client is pointed at: the local org, or the one that SFCODE_TEST_ORG names.

Of a named org nothing is known but its address and a token. What a test makes there carries a word of its own in its
name, so that it is told from everything else, and is removed again.
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
"""The newest version of an org of today, which its clients speak."""
LEADS = 450
"""More than fit on the pages that are asked for."""
GROUND = "Ground"
"""In the names of what is there for a whole run, and not for one test."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz"
_NAMED = {"Event": "Subject", "Contact": "LastName", "Lead": "LastName", "Account": "Name"}
"""The objects that steps make records of, in the order in which they can go, and the field that says whose they are."""
_TYPES = ("PermissionSet", "Flow", "WorkflowOutboundMessage", "CustomField", "CustomObject", "StaticResource")


@dataclass(frozen=True)
class Place:
    """An org, and what a test needs to know to work in it."""

    url: str
    access_token: str
    ours: Org
    """Another client than the one that is tested, to look into the org with."""
    word: str
    """What the names of all that a test makes begin with."""
    is_real: bool = False
    tls_url: str | None = None
    certificate: Path | None = None
    """What has to be trusted for `tls_url`; None: what the machine trusts anyway."""
    external_id: str = "Ext__c"
    """A unique text on accounts and contacts."""
    number: str = "Product_User_Id__c"
    """A number on contacts."""
    firm: str = "Many"
    """The company of the leads that are there."""

    @property
    def username(self) -> str:
        return self.ours.identity.username

    @property
    def user_id(self) -> str:
        return self.ours.identity.user_id

    @property
    def org_id(self) -> str:
        return self.ours.identity.org_id

    @cached_property
    def person(self) -> str:
        """The name of who is signed in."""
        return str(rows(self.ours, f"SELECT Name FROM User WHERE Id = '{self.user_id}'")[0]["Name"])

    @property
    def wait(self) -> float:
        """How long to wait between two questions, in seconds."""
        return 1.0 if self.is_real else 0.01

    @property
    def environ(self) -> Mapping[str, str]:
        """What a program is told so that it trusts the org."""
        if self.certificate is None:
            return {}
        return {"REQUESTS_CA_BUNDLE": str(self.certificate), "NODE_EXTRA_CA_CERTS": str(self.certificate)}

    def rows(self, name: str, where: str = "", **wanted: Any) -> list[dict[str, Any]]:
        """Read records with all their fields; `where` is a condition in SOQL, the others are values of fields."""
        conditions = [*filter(None, [where]), *(f"{field} = {_quoted(value)}" for field, value in wanted.items())]
        clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return rows(self.ours, f"SELECT FIELDS(ALL) FROM {name}{clause} LIMIT 200")

    def count(self, name: str, where: str) -> int:
        return self.ours.count(f"SELECT COUNT() FROM {name} WHERE {where}")

    def component(self, type: str, name: str) -> Mapping[str, Any] | None:
        """Read the body of a component, None if it is not there."""
        found = self.ours.metadata.read_metadata(type, [name])
        return found[0].body if found else None

    def make(self, name: str, *records: Mapping[str, Any]) -> list[str]:
        """Make records without the client that is tested: their ids."""
        return [self.ours.create(name, each) for each in records]


def _quoted(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return {None: "null", True: "true", False: "false"}.get(value, str(value))
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def rows(client: Org, query: str) -> list[dict[str, Any]]:
    """Ask the org without the tool that is tested."""
    found = client.rest.query_all(query)["records"]
    return [{name: value for name, value in row.items() if name != "attributes"} for row in found]


def deploy(client: Org, *components: Component, deleted: tuple[Address, ...] = ()) -> None:
    """Put components into the org, or take them out, without the tool that is tested."""
    package = zip_files(write(components, API_VERSION, deleted=deleted))
    result = client.metadata.follow(client.metadata.deploy(package, DeployOptions()))
    assert result.success, result.failures


@contextlib.contextmanager
def local(org: LocalOrg) -> Iterator[Place]:
    """Give a local org that is served as a place."""
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API_VERSION) as ours:
        yield Place(org.url, org.access_token, ours, "Ours", False, org.tls_url, org.certificate)


@dataclass
class Real:
    """The org that is named, for a whole run."""

    place: Place
    tests: int = 0

    def for_test(self) -> Place:
        """Give it with a word that no other test has."""
        self.tests += 1
        return replace(
            self.place, word=f"{self.place.word}{_LETTERS[self.tests // 24 % 24]}{_LETTERS[self.tests % 24]}"
        )


@contextlib.contextmanager
def opened(name: str, environ: Mapping[str, str]) -> Iterator[Real]:
    """Sign in to the org of a name, as `--org` takes it; sweep it in the end."""
    word = "T" + "".join(secrets.choice(_LETTERS) for _ in range(5))
    with connect(name, environ=environ, api_version=API_VERSION) as ours:
        url = ours.instance_url
        token = ours._connection.session.token.reveal()
        trusted = os.environ.get("REQUESTS_CA_BUNDLE")
        place = Place(url, token, ours, word, True, url if url.startswith("https:") else None)
        place = replace(place, certificate=Path(trusted) if trusted else None)
        prefix = f"{word}{GROUND}"
        place = replace(place, external_id=f"{prefix}Ext__c", number=f"{prefix}Number__c", firm=prefix)
        try:
            yield Real(place)
        finally:
            sweep(ours, word, ground=True)


def lay_ground(place: Place) -> None:
    """Make what tables take for granted: external ids, a number, and leads for several pages."""
    prefix, ours = f"{place.word}{GROUND}", place.ours
    text = {"label": "Ext", "type": "Text", "length": 80, "externalId": True, "unique": True}
    number = {"label": "Number", "type": "Number", "precision": 18, "scale": 0}
    fields = [Component("CustomField", f"{name}.{place.external_id}", text) for name in ("Account", "Contact")]
    fields += [Component("CustomField", f"{name}.{place.number}", number) for name in ("Contact", "Lead")]
    seen = {each.full_name: {"editable": True, "readable": True} for each in fields}
    deploy(ours, *fields, Component("PermissionSet", prefix, {"label": prefix, "fieldPermissions": seen}))
    (permissions,) = rows(ours, f"SELECT Id FROM PermissionSet WHERE Name = '{prefix}'")
    ours.create("PermissionSetAssignment", {"AssigneeId": place.user_id, "PermissionSetId": permissions["Id"]})
    records = [{"attributes": {"type": "Lead"}, "LastName": f"{prefix}Lead", "Company": prefix} for _ in range(LEADS)]
    for start in range(0, LEADS, 200):
        body = {"allOrNone": True, "records": records[start : start + 200]}
        done = ours.rest.restful("composite/sobjects", method="POST", json=body)
        assert all(each["success"] for each in done), done


def sweep(ours: Org, word: str, *, ground: bool = False) -> None:
    """Remove everything that has the word in its name; what was laid for the whole run, only if that is said."""
    for name, field in _NAMED.items():
        _sweep_records(ours, name, f"{field} LIKE '%{word}%'", ground)
    sets = f"PermissionSet.Name LIKE '{word}%'"
    _sweep_records(ours, "PermissionSetAssignment", sets, ground, kept="PermissionSet.Name")
    listed = [Address(each.type, each.full_name) for each in ours.metadata.list_metadata(*_TYPES)]
    found = [each for each in listed if word in each.full_name and (ground or f"{word}{GROUND}" not in each.full_name)]
    for flow in (each for each in found if each.type == "Flow"):
        remove_flow(ours, flow)
    # What is inside an object goes with it.
    objects = {each.full_name for each in found if each.type == "CustomObject"}
    gone = [each for each in found if each.type != "Flow" and each.full_name.partition(".")[0] not in objects]
    gone += [Address("CustomObject", name) for name in objects]
    if gone:
        deploy(ours, deleted=tuple(dict.fromkeys(gone)))


def _sweep_records(ours: Org, name: str, where: str, ground: bool, kept: str = "") -> None:
    field = kept or _NAMED[name]
    but = "" if ground else f" AND (NOT {field} LIKE '%{GROUND}%')"
    found = [row["Id"] for row in rows(ours, f"SELECT Id FROM {name} WHERE {where}{but}")]
    for start in range(0, len(found), 200):
        ids = ",".join(found[start : start + 200])
        done = ours.rest.restful("composite/sobjects", method="DELETE", params={"ids": ids})
        assert all(each["success"] for each in done), done
