"""The form in which an org stores a component: without empty values, and merged with the existing one where the org merges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sfcode.local.sobjects.grants import OBJECT_RIGHTS
from sfcode.metadata.component import Body, Component

REPLACED_SINCE = 40.0
"""From this API version on, a deployed permission set replaces the one in the org; before, it is merged into it."""

_FIELD_DEFAULTS = {
    "caseSensitive": False,
    "externalId": False,
    "formulaTreatBlanksAs": "BlankAsBlank",
    "required": False,
    "trackFeedHistory": False,
    "trackHistory": False,
    "trackTrending": False,
    "unique": False,
}
_SWITCHES = "classAccesses customMetadataTypeAccesses customPermissions customSettingAccesses flowAccesses pageAccesses userPermissions"
_GRANTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_SWITCHES.split(), ("enabled",)),
    **dict.fromkeys(("applicationVisibilities", "recordTypeVisibilities"), ("visible",)),
    "fieldPermissions": ("readable", "editable"),
    "objectPermissions": (*OBJECT_RIGHTS, "viewAllFields"),
}


def normalize(component: Component) -> Component:
    """Remove what an org does not store; the same meaning has the same body."""
    rule = _RULES.get(component.type)
    return component if rule is None else Component(component.type, component.full_name, rule(component.body))


def merge(before: Body, after: Body) -> Body:
    """Merge a partial body into a complete one: keyed elements entry by entry, all others as a whole."""
    both: dict[str, Any] = dict(before)
    for name, value in after.items():
        known = both.get(name)
        both[name] = {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return both


def _custom_field(body: Body) -> Body:
    return {name: value for name, value in body.items() if value != _FIELD_DEFAULTS.get(name, ...)}


def _outbound_message(body: Body) -> Body:
    # The session id is gone from outbound messages, and the flag with it:
    # https://help.salesforce.com/s/articleView?id=005232763&type=1
    kept = {name: value for name, value in body.items() if (name, value) != ("useDeadLetterQueue", False)}
    return {**kept, "includeSessionId": False}


def _permission_set(body: Body) -> Body:
    kept: dict[str, Any] = {name: value for name, value in body.items() if value not in ({}, "")}
    if kept.get("hasActivationRequired") is False:
        del kept["hasActivationRequired"]
    for name, grants in _GRANTS.items():
        if isinstance(entries := kept.get(name), Mapping):
            kept[name] = {key: entry for key, entry in entries.items() if any(entry.get(grant) for grant in grants)}
            for key, entry in kept[name].items():
                # What a file leaves out is false.
                kept[name][key] = {grant: True for grant in grants if entry.get(grant)} | _others(entry, grants)
            if not kept[name]:
                del kept[name]
    return kept


def _others(entry: Mapping[str, Any], grants: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in grants}


_RULES: Mapping[str, Callable[[Body], Body]] = {
    "CustomField": _custom_field,
    "PermissionSet": _permission_set,
    "WorkflowOutboundMessage": _outbound_message,
}
