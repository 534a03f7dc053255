"""
Convert a component to its normal form; components with the same meaning have the same normal form.

The normal form is only compared and printed. The full body is deployed: a normal form may lack elements that the
schema requires (`includeSessionId`, `locationX`), and the text of a formula may be trimmed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

from sfcode.metadata import schema_table
from sfcode.metadata.component import Body, Component, Value
from sfcode.metadata.defaults import BUILDER_NOTES, NAMES, SIGNIFICANT_TEXT, rule_for

_Dict = dict[str, Value]


class Name(str):
    """The name of a component, an object or a user, whose case is kept and is ignored in comparisons."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self.lower() == other.lower() if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.lower())


def normalize(component: Component) -> Component:
    """Return the normal form of a component: without the elements that an org adds and those without meaning."""
    if schema_table.elements(component.type) is None:
        names = NAMES.get(component.type, ())
        body = {
            key: Name(value) if key in names and isinstance(value, str) else value
            for key, value in component.body.items()
        }
        return Component(component.type, component.full_name, body) if names else component
    return Component(component.type, component.full_name, _complex(component.type, component.body))


def _complex(type_: str, body: Body) -> _Dict:
    elements = schema_table.elements(type_) or {}
    normal_body: _Dict = {}
    for name, raw in body.items():
        spec = elements.get(name)
        if spec is None or raw is None:
            continue
        value = _element(type_, spec, raw)
        rule = rule_for(type_, name)
        if rule is not None and rule.default in (None, value):
            continue
        if value in ({}, []) or (value == "" and not spec.required and not _significant(type_, name)):
            continue
        normal_body[name] = value
    special = _SPECIAL.get(type_)
    return special(normal_body) if special else normal_body


def _element(owner: str, spec: schema_table.Element, value: Value) -> Value:
    if not spec.repeated:
        return _value(owner, spec, value)
    if isinstance(value, Mapping):
        entries = {name: _value(owner, spec, entry) for name, entry in sorted(value.items())}
        grants = _GRANTS.get(owner, {}).get(spec.name)
        return {name: entry for name, entry in entries.items() if not grants or grants(cast(_Dict, entry))}
    if isinstance(value, list | tuple):
        return [_value(owner, spec, item) for item in value]
    return value


def _value(owner: str, spec: schema_table.Element, value: Value) -> Value:
    if isinstance(value, Mapping) and schema_table.elements(spec.type) is not None:
        return _complex(spec.type, value)
    if not isinstance(value, str):
        return value
    if spec.type == "double":
        return _number(value)
    if _significant(owner, spec.name):
        return value
    if spec.name in NAMES.get(owner, ()):
        return Name(value.strip())
    return value.replace("\r\n", "\n").strip()


def _significant(owner: str, element: str) -> bool:
    return element in SIGNIFICANT_TEXT.get(owner, ())


def _number(text: str) -> str:
    """Format a number as an org does: 63 as 63.0."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def _flow(body: _Dict) -> _Dict:
    notes = body.get("processMetadataValues")
    if isinstance(notes, Mapping):
        others = {name: note for name, note in notes.items() if name not in BUILDER_NOTES}
        body = {**body, "processMetadataValues": others} if others else _without(body, "processMetadataValues")
    # What Flow Builder proposes: the label and the time of the run.
    if body.get("interviewLabel") == f"{body.get('label', '')} {{!$Flow.CurrentDateTime}}":
        body = _without(body, "interviewLabel")
    return body


def _action_call(body: _Dict) -> _Dict:
    # From API 58 on an org repeats the action's name here.
    return _without(body, "nameSegment") if body.get("nameSegment") == body.get("actionName") else body


def _field_permission(body: _Dict) -> _Dict:
    # An org gives read with edit, and does not keep a row without read.
    editable = body.get("editable") is True
    return {**body, "editable": editable, "readable": editable or body.get("readable") is True}


def _object_permission(body: _Dict) -> _Dict:
    rights = (
        spec.name for spec in (schema_table.elements("PermissionSetObjectPermissions") or {}).values() if spec.required
    )
    return {**{right: False for right in rights if right != "object"}, **body}


def _without(body: _Dict, name: str) -> _Dict:
    return {key: value for key, value in body.items() if key != name}


def _report_folder(body: _Dict) -> _Dict:
    # An org adds the user who made the folder as its manager.
    shares = body.get("folderShares")
    if not isinstance(shares, list):
        return body
    remaining_shares = [share for share in shares if not _is_creator(share)]
    return {**body, "folderShares": remaining_shares} if remaining_shares else _without(body, "folderShares")


def _is_creator(share: Value) -> bool:
    return isinstance(share, Mapping) and (share.get("accessLevel"), share.get("sharedToType")) == ("Manage", "User")


def _app_settings(body: _Dict) -> _Dict:
    # An org takes a certificate with its BEGIN and END lines or without, and gives it back in either form.
    certificate = body.get("certificate")
    return {**body, "certificate": _ARMOR.sub("", certificate)} if isinstance(certificate, str) else body


_ARMOR = re.compile(r"-----(?:BEGIN|END) CERTIFICATE-----|\s")


_SPECIAL: Mapping[str, Callable[[_Dict], _Dict]] = {
    "ExtlClntAppGlobalOauthSettings": _app_settings,
    "Flow": _flow,
    "FlowActionCall": _action_call,
    "PermissionSetFieldPermissions": _field_permission,
    "PermissionSetObjectPermissions": _object_permission,
    "ReportFolder": _report_folder,
}


def _any_true(entry: _Dict) -> bool:
    return True in entry.values()


def _is_shown(entry: _Dict) -> bool:
    return entry.get("visibility") != "None"


_GRANTS: Mapping[str, Mapping[str, Callable[[_Dict], bool]]] = {
    # From API 40 on, a deployed permission set replaces the existing one. An org does not keep rows that grant nothing.
    "PermissionSet": {
        "applicationVisibilities": _any_true,
        "classAccesses": _any_true,
        "customMetadataTypeAccesses": _any_true,
        "customPermissions": _any_true,
        "customSettingAccesses": _any_true,
        "emailRoutingAddressAccesses": _any_true,
        "externalCredentialPrincipalAccesses": _any_true,
        "externalDataSourceAccesses": _any_true,
        "fieldPermissions": _any_true,
        "flowAccesses": _any_true,
        "objectPermissions": _any_true,
        "pageAccesses": _any_true,
        "recordTypeVisibilities": _any_true,
        "tabSettings": _is_shown,
        "userPermissions": _any_true,
    }
}
"""Rows of a repeated element that count, by type and element."""
