"""Assignment rules and duplicate rules. A deployment stores them unchanged, and each save reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.automation import rules
from sfcode.local.automation.record import RecordSave
from sfcode.local.errors import ApiError
from sfcode.local.metadata.raw import read_raw, read_text
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Value

DUPLICATE = "You're creating a duplicate record. We recommend you use an existing record instead."
"""The message of a duplicate rule that does not define one: https://github.com/restforce/restforce/issues/347"""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """The headers of a request that control assignment and duplicate rules."""

    assigns: bool = False
    allows_duplicates: bool = False

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> SaveOptions:
        """
        Read the headers of a REST call; by default assignment rules run.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
        """
        duplicates = headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        return cls(headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE", "allowsave=true" in duplicates)


NO_OPTIONS = SaveOptions()


def find_owner(saved: RecordSave) -> str | None:
    """Return the user to whom the object's active assignment rule assigns a saved record, or None."""
    for stored in saved.tx.components.children("AssignmentRule", saved.target.name):
        rule = read_raw(stored)
        entries = rule.get("ruleEntry", []) if read_text(rule, "active") == "true" else []
        for entry in entries:
            items: list[Value] = [
                {name: texts[-1] for name, texts in item.items()} for item in entry.get("criteriaItems", [])
            ]
            logic, formula = read_text(entry, "booleanFilter") or None, read_text(entry, "formula")
            if rules.meets(saved, {"criteriaItems": items, "booleanFilter": logic, "formula": formula}):
                users = saved.tx.records.find("User", "Username", read_text(entry, "assignedTo"))
                return next((str(user["Id"]) for user in users), None)
    return None


def check_duplicates(tx: OrgTransaction, object_name: str, before: Record | None, after: Record, allows: bool) -> None:
    """Refuse a record that an active duplicate rule blocks or, unless the request allows it, alerts about. Raises ApiError."""
    operation = "Insert" if before is None else "Update"
    for stored in tx.components.children("DuplicateRule", object_name):
        rule = read_raw(stored)
        blocks = read_text(rule, f"actionOn{operation}") == "Block"
        alerts = "Alert" in rule.get(f"operationsOn{operation}", []) and not allows
        if read_text(rule, "isActive") != "true" or not (blocks or alerts):
            continue
        for match in rule.get("duplicateRuleMatchRules", []):
            matching = tx.components.get("MatchingRule", f"{object_name}.{read_text(match, 'matchingRule')}")
            if matching is not None and _has_match(tx, object_name, read_raw(matching), after):
                raise ApiError("DUPLICATES_DETECTED", read_text(rule, "alertText") or DUPLICATE, [])


def _has_match(tx: OrgTransaction, object_name: str, rule: Mapping[str, list[Any]], record: Record) -> bool:
    """Return whether another record has equal values, without case, in all fields of a rule; blanks equal nothing."""
    fields = [read_text(item, "fieldName") for item in rule.get("matchingRuleItems", [])]
    if read_text(rule, "ruleStatus") != "Active" or not fields or not all(record.get(field) for field in fields):
        return False
    values = [str(record[field]).lower() for field in fields]
    return any(
        candidate["Id"] != record.get("Id") and [str(candidate.get(field) or "").lower() for field in fields] == values
        for candidate in tx.records.find_any(object_name, fields[0], [record[fields[0]]])
    )
