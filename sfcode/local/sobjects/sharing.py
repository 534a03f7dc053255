"""
Org-wide defaults: the access of all users to all records of an object.

https://help.salesforce.com/s/articleView?id=platform.sharing_model_fields.htm&type=5 describes the models.
"""

from __future__ import annotations

from sfcode.local.sobjects.model import FieldDef, ObjectDef
from sfcode.local.store import OrgTransaction, Record

READABLE = frozenset({"Read", "ReadWrite", "ReadWriteTransfer", "FullAccess"})
EDITABLE = READABLE - {"Read"}
DELETABLE = frozenset({"FullAccess"})
BY_PARENT = frozenset({"ControlledByParent", "ControlledByCampaign"})
MODELS = READABLE | BY_PARENT | {"Private"}
"""Org-wide defaults, as spelled in the metadata of an object."""

DEFAULTS = {
    "Account": "ReadWrite",
    "Activity": "Private",
    "Campaign": "FullAccess",
    "CampaignMember": "ControlledByCampaign",
    "Contact": "ReadWrite",
    "Lead": "ReadWriteTransfer",
}
"""Org-wide defaults unless a company or a deployed object sets others; the default of custom objects is ReadWrite."""

PARENTS = {
    "CampaignMember": ("CampaignId",),
    "Contact": ("AccountId",),
    "Event": ("WhoId", "WhatId"),
    "Task": ("WhoId", "WhatId"),
}
"""References through which access to the referenced record gives access to a record."""


def get_model(tx: OrgTransaction, target: ObjectDef) -> str:
    """Return an object's org-wide default. Objects without owners are open to all or controlled by their parent."""
    name = "Activity" if target.name in ("Event", "Task") else target.name
    if target.field("OwnerId") is None and name not in DEFAULTS:
        return "ControlledByParent" if target.custom else "FullAccess"
    stored = tx.components.get("CustomObject", name)
    deployed = stored.component.body.get("sharingModel") if stored else None
    return str(deployed or tx.settings.get(f"sharing.{name.lower()}") or DEFAULTS.get(name, "ReadWrite"))


def set_model(tx: OrgTransaction, object_name: str, value: str) -> None:
    """Set the org-wide default of an object."""
    tx.settings.set(f"sharing.{object_name.lower()}", value)


def parents(target: ObjectDef) -> list[FieldDef]:
    """List the references whose target controls the access to a record."""
    names = PARENTS.get(target.name)
    if names is None:
        return [field for field in target.fields.values() if is_master(field)]
    return [field for name in names if (field := target.field(name))]


def is_private(target: ObjectDef, row: Record) -> bool:
    """
    Return whether sharing gives only the owner access to a record, as to a contact without an account.

    https://help.salesforce.com/s/articleView?id=sales.contacts_sharing_considerations.htm&type=5
    """
    return target.name == "Contact" and not row.get("AccountId")


def is_master(field: FieldDef) -> bool:
    """Return whether a custom reference is a master-detail relationship, whose records have no owner."""
    return field.custom and field.type == "reference" and not field.nillable
