"""Scan results of an org, built in Python."""

from __future__ import annotations

from typing import Any

from sfcode.importing.scan_result import (
    CandidateUser,
    Formula,
    Message,
    MessageTrigger,
    PermissionSetGrants,
    ScanResult,
)
from sfcode.metadata.component import Address
from sfcode.metadata.objects import Field
from sfcode.plan.snapshot import Target

TARGET = Target("00D000000000001EAA", "Northwind Traders", "http://127.0.0.1:1", "admin@northwind.example")
ROBOT = CandidateUser(
    "appcues@northwind.example",
    "Appcues",
    "it@northwind.example",
    "Salesforce API Only System Integrations",
    "Salesforce Integration",
    ("SalesforceAPIIntegrationPsl",),
    ("Appcues_Access",),
)
FIELDS = {
    "Id": "id",
    "Title": "string",
    "Email": "email",
    "MailingAddress": "address",
    "Product_User_Id__c": "double",
    "Appcues_Id__c": "string",
    "Plan__c": "string",
}


def fields(**more: str) -> dict[str, Field]:
    kinds = FIELDS | more
    return {
        name: Field(name, kind, label=name.replace("_", " ").removesuffix("  c"), custom=name.endswith("__c"))
        for name, kind in kinds.items()
    }


def grants(
    name: str = "Appcues_Access", *, object_name: str = "Contact", readable: tuple[str, ...] = ()
) -> PermissionSetGrants:
    """Return the permission set of the help page: Modify All, and the fields of Event."""
    rights = ("allowRead", "allowEdit", "allowDelete", "viewAllRecords", "modifyAllRecords")
    names = [f"{object_name}.{field_name}" for field_name in readable] + ["Event.Description", "Event.WhoId"]
    return PermissionSetGrants(
        name,
        {
            "label": name,
            "objectPermissions": {object_name: dict.fromkeys(rights, True)},
            "fieldPermissions": {field_name: {"readable": True, "editable": False} for field_name in names},
        },
    )


def message(name: str = "AppcuesOnContactCreateUpdate_Z1AzRYj", **changes: Any) -> Message:
    values: dict[str, Any] = {
        "address": Address("WorkflowOutboundMessage", f"Contact.{name}"),
        "host": "5f0c-ab12.integration-hook.com",
        "by_connector": True,
        "user": ROBOT.username,
        "fields": ("Id",),
        "fired_by": (MessageTrigger(Address("WorkflowRule", f"Contact.{name}"), alone=True),),
    }
    return Message(**values | changes)


def make_scan(**changes: Any) -> ScanResult:
    """Return a scan with the components of the help page and the connector's message."""
    values: dict[str, Any] = {
        "target": TARGET,
        "email": "admin@northwind.example",
        "is_sandbox": False,
        "messages": (message(),),
        "people": (ROBOT,),
        "sets": {"Appcues_Access": grants(readable=("Title",))},
        "fields": {"Contact": fields()},
        "formulas": {"Contact.Appcues_Id__c": Formula("TEXT(Product_User_Id__c)", False, "Product_User_Id__c")},
        "events": 0,
    }
    return ScanResult(**values | changes)
