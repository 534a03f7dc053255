"""
The risk of each change of a plan, by the rules of docs/guide/review.md.

A review compares two configs, and so shows the intent of a change; a plan compares a config with an org, and shows its effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from sfcode.checks.access_changes import ALL_RECORDS, POWERFUL, VIEWERS, WIDER, describe_permission_set
from sfcode.checks.granted_rights import rights_of
from sfcode.checks.personal_data import is_personal
from sfcode.config.models import PersonalData
from sfcode.mapping.naming import is_same_name
from sfcode.mapping.permissions import API_ONLY_PROFILES, POWERFUL_PERMISSIONS
from sfcode.metadata.component import Address, Body, Value
from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan
from sfcode.plan.risk import Judgment, Risk

ELSEWHERE = "data is sent to another destination"
OTHER_USER = "the setup of the integration user changes"
FULL_USER = "the integration user may do more than its permission set grants"
PERSONAL = "personal data leaves Salesforce"
MORE = "more data leaves Salesforce"
LOST = "a field is deleted with the values in it"
TIMING = "the data that is sent, or the time of sending, changes"
_IDENTITY = frozenset({"Id", "SystemModstamp"})
"""Fields of every message, which are not personal data."""
_USERS = frozenset({"PermissionSetAssignment", "PermissionSetLicenseAssign", "User"})
_TRIGGERS = frozenset({"Flow", "WorkflowRule"})


def assess_plan(plan: Plan) -> Mapping[Address, Judgment]:
    """
    Return the highest risk of each change of a plan.

    Accepted personal data is not considered, since a plan does not contain it.
    """
    settings = PersonalData()
    return {change.address: assess_change(change, settings) for change in plan.effective}


def assess_change(change: Change, personal: PersonalData) -> Judgment:
    """Return the highest risk of one change, its rule, and what it grants."""
    worst = max(_apply_rules(change, personal), key=lambda judgment: judgment.risk, default=Judgment(Risk.LOW))
    return replace(worst, access=describe_permission_set(change)) if change.address.type == "PermissionSet" else worst


def _apply_rules(change: Change, personal: PersonalData) -> Iterator[Judgment]:
    kind = change.address.type
    if kind == "WorkflowOutboundMessage":
        yield from _message(change, personal)
    elif kind == "PermissionSet":
        yield from _rights(change)
    elif kind in ("CustomField", "CustomObject"):
        if change.action is Action.DELETE and not (change.before and change.before.body.get("formula")):
            yield Judgment(Risk.HIGH, LOST)
    elif kind == "User" and _gains_profile(change):
        yield Judgment(Risk.HIGH, FULL_USER)
    elif kind == "PermissionSetAssignment" and change.address.full_name.rpartition("/")[0].endswith(VIEWERS):
        return  # a permission set of viewers
    elif kind in _USERS:
        yield Judgment(Risk.MEDIUM, OTHER_USER)
    elif kind in _TRIGGERS:
        yield Judgment(Risk.MEDIUM, TIMING)


def _message(change: Change, personal: PersonalData) -> Iterator[Judgment]:
    before, after = (side.body if side else {} for side in (change.before, change.after))
    added_fields = _to_set(after.get("fields")) - _to_set(before.get("fields")) - _IDENTITY
    object_name = change.address.full_name.partition(".")[0]
    if any(is_personal(object_name, field, personal) for field in added_fields):
        yield Judgment(Risk.HIGH, PERSONAL)
    elif added_fields:
        yield Judgment(Risk.MEDIUM, MORE)
    if before and after and _place(before) != _place(after):
        yield Judgment(Risk.HIGH, ELSEWHERE)


def _rights(change: Change) -> Iterator[Judgment]:
    old, new = rights_of(change.before), rights_of(change.after)
    for (kind, name), granted in new.items():
        gained = {*granted} - {*old.get((kind, name), ())}
        if gained & {"View All", "Modify All"}:
            yield Judgment(Risk.HIGH, ALL_RECORDS)
        elif gained and kind == "permission" and name in POWERFUL_PERMISSIONS:
            yield Judgment(Risk.HIGH, POWERFUL)
        elif gained - {"Read"} or (gained and kind == "object"):
            yield Judgment(Risk.MEDIUM, WIDER)


def _gains_profile(change: Change) -> bool:
    """Return whether a user gets another profile that allows more than the API."""
    before, after = (side.body.get("Profile") if side else None for side in (change.before, change.after))
    return after is not None and after not in API_ONLY_PROFILES and not is_same_name(before, after)


def _to_set(value: Value) -> set[str]:
    return {str(member) for member in value} if isinstance(value, list | tuple) else set()


def _place(body: Body) -> tuple[str, str]:
    parts = urlsplit(str(body.get("endpointUrl", "")))
    return parts.scheme, parts.netloc
