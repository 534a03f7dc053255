"""
The columns of report types: the object whose rows a type lists, and the field that a column shows.

The names are those of reports that were retrieved from orgs. Types and columns that no report of this project uses
are refused, since this is not Salesforce's report engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.errors import ApiError, make_error
from sfcode.local.sobjects.model import FieldDef
from sfcode.local.sobjects.rows import UserView
from sfcode.local.store import Record

_CUSTOM = re.compile(r"(Account)?CustomEntity\$(\w+__c)")
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "Activity": {
        "SUBJECT": "Subject",
        "DUE_DATE": "ActivityDate",
        "CONTACT": "Who:Contact",
        "LEAD": "Who:Lead",
        "ACCOUNT": "AccountId",
        "DESCRIPTION": "Description",
        "CREATED_DATE": "CreatedDate",
        "ACTIVITY_ID": "Id",
    },
    "ContactList": {
        "FIRST_NAME": "FirstName",
        "LAST_NAME": "LastName",
        "EMAIL": "Email",
        "TITLE": "Title",
        "ACCOUNT.NAME": "AccountId",
        "CONTACT_ID": "Id",
        "CREATED_DATE": "CreatedDate",
    },
    "CampaignWithCampaignMembers": {
        "CAMPAIGN_NAME": "CampaignId",
        "CAMPAIGN_ID": "CampaignId",
        "MEMBER_STATUS": "Status",
        "HAS_RESPONDED": "HasResponded",
        "MEMBER_TYPE": "Type",
        "MEMBER_CREATED_DATE": "CreatedDate",
        "FIRST_NAME": "FirstName",
        "LAST_NAME": "LastName",
        "COMPANY": "CompanyOrAccount",
        "EMAIL": "Email",
    },
}
"""Field paths by column. `Who:Contact` shows the person of an activity if it is a contact."""
_OF_CUSTOM: Mapping[str, str] = {
    "CUST_NAME": "Name",
    "CUST_ID": "Id",
    "CUST_CREATED_DATE": "CreatedDate",
    "CUST_LAST_UPDATE": "LastModifiedDate",
}
_PREFIXES = {"Activity": "Activity.", "ContactList": "Contact.", "CampaignWithCampaignMembers": "CampaignMember."}
"""The prefix of the columns for custom fields, by report type."""
_ID_LENGTH = 15
"""The length of an ID in reports, in characters."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell of a column in one row: the value, and its label."""

    value: Any
    label: str


class ReportColumns:
    """The columns of one report type, for one user."""

    def __init__(self, view: UserView, report_type: str) -> None:
        self._view = view
        custom = _CUSTOM.fullmatch(report_type)
        self._master = ""
        if custom:
            self.objects: tuple[str, ...] = (custom[2],)
            self._known: Mapping[str, str] = _OF_CUSTOM
            self._prefix = f"{custom[2]}."
            self._check_custom(custom[2], of_account=bool(custom[1]))
        elif report_type in _COLUMNS:
            self._known = _COLUMNS[report_type]
            self._prefix = _PREFIXES[report_type]
            self.objects = ("Event", "Task") if report_type == "Activity" else (self._prefix.rstrip("."),)
        else:
            raise ApiError("BAD_REQUEST", f"The local org runs no reports of type {report_type}.")

    def rows(self) -> list[tuple[str, Record]]:
        """Return the rows that the user sees, each with its object."""
        visible_objects = [name for name in self.objects if self._view.catalog.object(name)]
        if not visible_objects:
            raise make_error("obsolete_report")
        return [(name, row) for name in visible_objects for row in self._view.rows.all(name)]

    def is_date(self, column: str) -> bool:
        """Return whether a column is a date, whose groups are days or months."""
        field = self._field(self.objects[0], self._path(column))
        return field is not None and field.type in ("date", "datetime")

    def cell(self, object_name: str, row: Record, column: str) -> Cell:
        """Return the cell of a column in a row. Raises ApiError for a column that the type or the user does not have."""
        path = self._path(column)
        if path.startswith("Who:"):
            return self._person(row, path.removeprefix("Who:"))
        if object_name == "Event" and path == "ActivityDate":
            day = row.get("ActivityDate") or str(row.get("StartDateTime") or "")[:10] or None
            return Cell(day, str(day or "-"))
        field = self._field(object_name, path)
        if field is None:
            raise make_error("unknown_column", name=column)
        value = row.get(field.name)
        if column == "CAMPAIGN_ID":
            return Cell(value, str(value)[:_ID_LENGTH])
        if field.type == "reference" and value:
            return self._reference(field, str(value))
        return Cell(value, _label(value))

    def _path(self, column: str) -> str:
        if column == "ACCOUNT.NAME" and self._master:
            return self._master
        if column.startswith(self._prefix):
            return column.removeprefix(self._prefix)
        if column not in self._known:
            raise make_error("unknown_column", name=column)
        return self._known[column]

    def _field(self, object_name: str, path: str) -> FieldDef | None:
        target = self._view.catalog.object(object_name)
        return target.field(path) if target else None

    def _check_custom(self, name: str, *, of_account: bool) -> None:
        """Check that reports are turned on for the object, and that it is a detail of accounts if the type requires it."""
        stored = self._view.tx.components.get("CustomObject", name)
        if stored is None or stored.component.body.get("enableReports") is not True:
            raise make_error("obsolete_report")
        target = self._view.catalog.unrestricted.object(name)
        masters = [field for field in target.fields.values() if field.master] if target else []
        self._master = next((field.name for field in masters if "Account" in field.reference_to), "")
        if bool(masters) is not of_account:
            raise make_error("obsolete_report")

    def _person(self, row: Record, kind: str) -> Cell:
        person = self._view.rows.get(kind, str(row.get("WhoId"))) if row.get("WhoId") else None
        return Cell(row.get("WhoId"), str(person.get("Name"))) if person else Cell(None, "-")

    def _reference(self, field: FieldDef, record_id: str) -> Cell:
        for name in field.reference_to:
            row = self._view.rows.get(name, record_id)
            if row is not None:
                return Cell(record_id, str(row.get("Name") or record_id))
        return Cell(record_id, record_id)


def _label(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
