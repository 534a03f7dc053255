"""Components for tests of automation, and the control route that advances the clock."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sfcode.local import LocalOrg, auth
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import connect
from sfcode.org.results import DeployOptions
from tests.local.conftest import NOON, Rest

ADMIN = "admin@northwind.example"
API = "63.0"
SOMEBODY = "somebody@northwind.example"


def message(
    url: str,
    fields: list[str],
    *,
    name: str = "Contact.Changed",
    user: str = ADMIN,
    api_version: str = "60.0",
    dead_letters: bool = False,
) -> Component:
    """Make an outbound message."""
    body = {
        "apiVersion": api_version,
        "endpointUrl": url,
        "fields": fields,
        "includeSessionId": False,
        "integrationUser": user,
        "name": name.partition(".")[2],
        "protected": False,
        "useDeadLetterQueue": dead_letters,
    }
    return Component("WorkflowOutboundMessage", name, body)


def flow(
    start: Mapping[str, Any], *, sends: str = "Contact.Changed", name: str = "Send_Contact", **more: Any
) -> Component:
    """Make a flow that sends a message after a save."""
    send = {
        "label": "Send",
        "locationX": 0,
        "locationY": 0,
        "actionName": sends,
        "actionType": "outboundMessage",
        "flowTransactionModel": "CurrentTransaction",
        "nameSegment": sends,
    }
    start_element = {
        "locationX": 0,
        "locationY": 0,
        "connector": {"targetReference": "Send"},
        "object": sends.partition(".")[0],
        "recordTriggerType": "CreateAndUpdate",
        "triggerType": "RecordAfterSave",
    }
    body = {
        "actionCalls": {"Send": send},
        "apiVersion": API,
        "label": name,
        "processType": "AutoLaunchedFlow",
        "start": start_element | dict(start),
        "status": "Active",
    }
    return Component("Flow", name, body | more)


def rule(body: Mapping[str, Any], *, name: str = "Contact.Changed", sends: str = "Changed") -> Component:
    """Make an active workflow rule that sends a message."""
    action = {"actions": {sends: {"type": "OutboundMessage"}}, "active": True}
    return Component("WorkflowRule", name, action | dict(body))


def deploy(org: LocalOrg, *components: Component) -> None:
    """Deploy components, which must succeed."""
    with connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API) as client:
        package = zip_files(write(components, API))
        result = client.metadata.follow(client.metadata.deploy(package, DeployOptions()))
    assert result.success, (result.failures, result.error_message)


@dataclass
class Control:
    """The control route of one org."""

    rest: Rest

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        answer = self.rest.session.request(
            method,
            f"{self.rest.org.url}/services/sfcode{path}",
            data=None if body is None else json.dumps(body),
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def deliver(self) -> dict[str, int]:
        return self("POST", "/deliveries")

    def advance(self, **duration: float) -> dict[str, int]:
        return self("POST", "/clock", {"advance": timedelta(**duration).total_seconds()})["deliveries"]

    @property
    def queue(self) -> list[dict[str, Any]]:
        return self("GET", "/outbound-messages")["notifications"]

    @property
    def log(self) -> list[str]:
        return [f"{entry['source']}: {entry['text']}" for entry in self("GET", "/automation-log")["entries"]]

    def arm(self, kind: str, **more: Any) -> dict[str, Any]:
        return self("POST", "/faults", {"kind": kind, **more})


def object_rights(*granted: str) -> dict[str, bool]:
    """Return the rights of a permission set on an object."""
    names = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")
    return {name: name in granted for name in names}


READ = object_rights("allowRead")
EVERYTHING = object_rights("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")


@contextmanager
def signed_in_as(rest: Rest, state: Path, user_id: str) -> Iterator[Rest]:
    """Call the org as another of its users."""
    with Store(state / "org.db") as store, store.transaction() as tx:
        token = auth.get_or_create_token(tx, user_id, now=NOON, rng=random.Random(3))
    client = Rest(replace(rest.org, access_token=token))
    with client.session:
        yield client


def user_with(rest: Rest, **rights: Any) -> str:
    """Create a user with the rights of one permission set; return its ID."""
    (profile,) = rest.rows("SELECT Id FROM Profile WHERE Name = 'Minimum Access - Salesforce'")
    user_id = rest.create(
        "User",
        Username=SOMEBODY,
        LastName="Somebody",
        Alias="somebody",
        Email=SOMEBODY,
        ProfileId=profile["Id"],
        TimeZoneSidKey="GMT",
        LocaleSidKey="en_US",
        EmailEncodingKey="UTF-8",
        LanguageLocaleKey="en_US",
    )
    deploy(rest.org, Component("PermissionSet", "Rights", {"label": "Rights", **rights}))
    (row,) = rest.rows("SELECT Id FROM PermissionSet WHERE Name = 'Rights'")
    rest.create("PermissionSetAssignment", AssigneeId=user_id, PermissionSetId=row["Id"])
    return user_id
