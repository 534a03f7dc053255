"""
Formulas: the text of a numeric id, and the condition under which a change is sent.

Nothing changed, nothing sent: a message goes out when a record with a user id is new, or when the id's
source or a mapped field changed; never for any other save.
"""

from __future__ import annotations

from sfcode.mapping.resolved import Exchange

MAX_FORMULA = 3900
"""Characters that Salesforce accepts in one formula (https://help.salesforce.com/s/articleView?id=000385791)."""

# These never change, or change with every save: as a reason to send they say nothing. They are still
# sent along when they are mapped.
NOT_WATCHED = frozenset(
    {
        "Id",
        "CreatedById",
        "CreatedDate",
        "IsDeleted",
        "LastActivityDate",
        "LastModifiedById",
        "LastModifiedDate",
        "LastReferencedDate",
        "LastViewedDate",
        "SystemModstamp",
    }
)
# A person's full name is put together by Salesforce; what changes are its parts.
_PARTS = {("Contact", "Name"): ("FirstName", "LastName"), ("Lead", "Name"): ("FirstName", "LastName")}


def text_formula(source: str) -> str:
    """Turn a number into text, and a blank number into a blank text rather than "0"."""
    return f'IF(ISBLANK({source}), "", TEXT({source}))'


def watched_fields(one: Exchange) -> tuple[str, ...]:
    """
    List the fields whose change is worth a message, sorted.

    A generated user id is a formula: its source stands in for it, wherever it is named.
    """
    fields: set[str] = set()
    for name in (one.user_id.field, *(use.field for use in one.attributes)):
        if one.source is not None and name == one.user_id.field:
            fields.add(one.source.field)
        else:
            fields.update(_PARTS.get((one.object, name), (name,)))
    return tuple(sorted(fields - NOT_WATCHED))


def entry_condition(one: Exchange, *, prefixed: bool) -> str:
    """Write the condition: for a flow fields are `{!$Record.Title}` (`prefixed`), for a workflow rule `Title`."""

    def reference(name: str) -> str:
        return f"{{!$Record.{name}}}" if prefixed else name

    has_user = f"NOT(ISBLANK({reference(one.user_id.field)}))"
    if one.on == {"create"}:
        return has_user
    reasons = [f"ISCHANGED({reference(name)})" for name in watched_fields(one)]
    if "create" in one.on:
        reasons.insert(0, "ISNEW()")
    changed = reasons[0] if len(reasons) == 1 else f"OR({', '.join(reasons)})"
    return f"AND({has_user}, {changed})"


def record_trigger_type(one: Exchange) -> str:
    """Say in a flow's word on which saves it starts."""
    if one.on == {"create"}:
        return "Create"
    return "CreateAndUpdate" if "create" in one.on else "Update"


def rule_trigger_type(one: Exchange) -> str:
    """Say in a workflow rule's word on which saves it is evaluated; ISCHANGED needs every edit."""
    return "onCreateOnly" if one.on == {"create"} else "onAllChanges"
