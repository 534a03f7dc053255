"""The form in which an org returns a component, including the elements that it adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sfcode.local.metadata.flows import OUTBOUND, named_entries
from sfcode.local.metadata.versions import drop_newer
from sfcode.local.sobjects.grants import OBJECT_RIGHTS
from sfcode.metadata.component import Body, Component

LAST_WITH_VERSION_SEGMENT = 66.0
"""The last API version in which a flow's action for an outbound message has the element `versionSegment`."""
FIRST_WITH_VIEW_ALL_FIELDS = 63.0

_BUILDER = {
    name: {"value": {"stringValue": value}}
    for name, value in (
        ("BuilderType", "LightningFlowBuilder"),
        ("CanvasMode", "AUTO_LAYOUT_CANVAS"),
        ("OriginBuilderType", "LightningFlowBuilder"),
    )
}
_NOT_REQUIRABLE = {"AutoNumber", "Checkbox", "Html", "LongTextArea", "MasterDetail", "Summary"}
_OFF = ("allowInChatterGroups", "enableActivities", "enableFeeds", "enableHistory", "enableLicensing")
"""Flags of custom objects that a retrieve always returns, false by default."""
_UNIQUE = {"AutoNumber", "Email", "Number", "Text"}


def org_form(component: Component, api_version: float) -> Component:
    """Return a component as a retrieve in an API version returns it."""
    rule = _RULES.get(component.type)
    if rule is None:
        return component
    return drop_newer(Component(component.type, component.full_name, rule(component.body, api_version)), api_version)


def _custom_field(body: Body, _: float) -> Body:
    kind = body.get("type")
    if kind is None:
        return body
    defaults: dict[str, Any] = {"trackTrending": False}
    if kind in _UNIQUE or body.get("formula"):
        defaults["externalId"] = False
    if kind not in _NOT_REQUIRABLE or body.get("formula"):
        defaults["required"] = False
    if kind in _UNIQUE:
        defaults["unique"] = False
    if kind == "Text" and body.get("unique"):
        defaults["caseSensitive"] = False
    # An org never returns the value BlankAsBlank.
    return defaults | {name: value for name, value in body.items() if value != "BlankAsBlank"}


def _custom_object(body: Body, _: float) -> Body:
    if "nameField" not in body:
        return body  # a standard object or a setting: the file contains only changes
    defaults: dict[str, Any] = dict.fromkeys(_OFF, False)
    defaults |= {"actionOverrides": [{"actionName": "View", "type": "Default"}], "compactLayoutAssignment": "SYSTEM"}
    return defaults | {"externalSharingModel": "Private", "visibility": "Public"} | dict(body)


def _outbound_message(body: Body, _: float) -> Body:
    return {"protected": False, "useDeadLetterQueue": False, **body}


def _flow(body: Body, api_version: float) -> Body:
    full_body: dict[str, Any] = {"environments": ["Default"], **body}
    if body.get("processType") in {None, "AutoLaunchedFlow", "Flow"}:
        notes = body.get("processMetadataValues")
        if notes is None or isinstance(notes, Mapping):
            full_body["processMetadataValues"] = {**_BUILDER, **(notes or {})}
    calls = body.get("actionCalls")
    if isinstance(calls, Mapping):
        full_body["actionCalls"] = {name: _action(call, api_version) for name, call in named_entries(calls)}
    return full_body


def _action(call: Mapping[str, Any], api_version: float) -> dict[str, Any]:
    if call.get("actionType") != OUTBOUND:
        return dict(call)
    full_call = {"flowTransactionModel": "CurrentTransaction", "nameSegment": call.get("actionName"), **call}
    if api_version <= LAST_WITH_VERSION_SEGMENT:
        full_call.setdefault("versionSegment", 1)
    else:
        full_call.pop("versionSegment", None)
    return full_call


def _permission_set(body: Body, api_version: float) -> Body:
    full_body: dict[str, Any] = {"hasActivationRequired": False, **body}
    rights = dict.fromkeys(OBJECT_RIGHTS, False)
    if api_version >= FIRST_WITH_VIEW_ALL_FIELDS:
        rights["viewAllFields"] = False
    for element, defaults in (
        ("objectPermissions", rights),
        ("fieldPermissions", {"editable": False, "readable": True}),
    ):
        entries = body.get(element)
        if isinstance(entries, Mapping):
            full_body[element] = {
                name: defaults | dict(entry) for name, entry in entries.items() if isinstance(entry, Mapping)
            }
    return full_body


_RULES: Mapping[str, Callable[[Body, float], Body]] = {
    "CustomField": _custom_field,
    "CustomObject": _custom_object,
    "Flow": _flow,
    "PermissionSet": _permission_set,
    "WorkflowOutboundMessage": _outbound_message,
}
