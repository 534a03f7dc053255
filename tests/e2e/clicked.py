"""An org that a person has connected to Appcues by following Appcues' help page, without sfcode."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfcode.local import LocalOrg, load, serve
from sfcode.metadata.component import Component
from sfcode.org import Org
from tests.e2e.journey import SECRET, Journey
from tests.e2e.org import deploy, opened

USER = "appcues@northwind.example"
SET = "Appcues_Access"
PAIR = "AppcuesOnContactCreateUpdate_Z1AzRYj"
HOST = "5f0c2a-ab12.integration-hook.com"
FIELD = Component(
    "CustomField",
    "Contact.Appcues_Id__c",
    {
        "label": "Appcues Id",
        "type": "Text",
        "formula": "TEXT(Product_User_Id__c)",
        "formulaTreatBlanksAs": "BlankAsZero",
        "externalId": False,
        "required": False,
        "unique": False,
    },
)
EVENT_BOXES = ("Description", "IsAllDayEvent", "Location", "Type", "WhatId", "WhoId")


def permission_set(name: str = SET, *, readable: tuple[str, ...] = ("Title", "Appcues_Id__c")) -> Component:
    """Return the permission set of the help page: Modify All with its dependencies, and the fields of Event."""
    rights = ("allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")
    field_permissions = {f"Event.{box}": {"editable": True, "readable": True} for box in EVENT_BOXES}
    field_permissions |= {f"Contact.{field}": {"editable": False, "readable": True} for field in readable}
    body = {
        "label": "Access of Appcues",
        "description": "For the Appcues integration, see the wiki",
        "objectPermissions": {"Contact": {**dict.fromkeys(rights, True), "allowCreate": False}},
        "fieldPermissions": field_permissions,
        "userPermissions": {"ApiEnabled": {"enabled": True}},
    }
    return Component("PermissionSet", name, body)


def pair(
    name: str = PAIR, *, user: str = USER, object_name: str = "Contact", host: str = HOST
) -> tuple[Component, ...]:
    """
    Return the message and rule of Appcues' own connector.

    The message sends only the ID, and the rule runs at every save.
    """
    message = {
        "apiVersion": "37.0",
        "endpointUrl": f"https://{host}",
        "fields": ["Id"],
        "includeSessionId": False,
        "integrationUser": user,
        "name": name,
        "protected": False,
        "useDeadLetterQueue": False,
    }
    actions = {name: {"type": "OutboundMessage"}}
    rule = {"actions": actions, "active": True, "formula": "!ISBLANK(Id)", "triggerType": "onAllChanges"}
    full_name = f"{object_name}.{name}"
    return (
        Component("WorkflowOutboundMessage", full_name, message),
        Component("WorkflowRule", full_name, rule),
    )


def new_user(client: Org, username: str = USER, *, licensed: bool = True) -> str:
    """Create the user of the help page, with the profile that the page names."""
    (profile,) = client.query("SELECT Id FROM Profile WHERE Name = 'Salesforce API Only System Integrations'")
    values: dict[str, Any] = {
        "Username": username,
        "FirstName": "Appcues",
        "LastName": "Integration",
        "Alias": "appcues",
        "Email": "it@northwind.example",
        "ProfileId": profile["Id"],
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }
    user = client.create("User", values)
    if licensed:
        (license_,) = client.query("SELECT Id FROM PermissionSetLicense")
        client.create("PermissionSetLicenseAssign", {"AssigneeId": user, "PermissionSetLicenseId": license_["Id"]})
    return user


def assign_to(client: Org, name: str, user: str) -> None:
    """Assign a permission set."""
    (row,) = client.query("SELECT Id FROM PermissionSet WHERE Name = {}", name)
    client.create("PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": row["Id"]})


def click(state: Path) -> None:
    """Create the shipped company with the setup of the help page."""
    load(state, "clicked")


@dataclass
class Clicked:
    """A folder without a config, and an org that was connected by hand."""

    journey: Journey

    @classmethod
    def start(cls, folder: Path, state: Path) -> Clicked:
        """Start with a copy of an org."""
        shutil.copytree(state, folder / ".sfcode" / "local-org")
        return cls(Journey(folder, {"SFCODE_ORG": "local", "SFCODE_RELAY_OUTBOUND_SECRET": SECRET}))

    def with_config(self, folder: Path) -> Clicked:
        """Use the config of another project."""
        shutil.copytree(folder / "config", self.journey.folder / "config")
        return self

    @property
    def state(self) -> Path:
        return self.journey.folder / ".sfcode" / "local-org"

    def org(self) -> Any:
        return serve(self.state)

    def deploy(self, *components: Component) -> None:
        with self.org() as org:
            deploy(org, *components)

    def imported(self, *options: str) -> None:
        """Run the import, which must succeed."""
        result = self.journey.run("import", *options)
        assert result.code == 0, result.err

    def move(self) -> None:
        """Edit the config so that the integration moves to the relay."""
        journey = self.journey
        journey.edit("mappings/contact.yaml", "delivery: connector", "delivery: relay")
        journey.edit("sfcode.yaml", f"  - PermissionSet:{SET}\n", "")
        journey.edit("sfcode.yaml", '"FILL_IN"', '"10001"')
        journey.edit("sfcode.yaml", '"https://fill-in.invalid"', "https://relay.example.com")


def rows(org: LocalOrg, soql: str) -> list[dict[str, Any]]:
    """Run a query as the administrator."""
    with opened(org) as client:
        return client.query(soql)
