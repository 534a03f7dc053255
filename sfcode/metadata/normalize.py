"""
Convert a component to its normal form; components with the same meaning have the same normal form.

The normal form is only compared and printed. The full body is deployed: a normal form may lack elements that the
schema requires (`includeSessionId`, `locationX`), and the text of a formula may be trimmed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping
from typing import cast

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata import schema_table
from sfcode.metadata.component import Body, Component, Value
from sfcode.metadata.defaults import BUILDER_NOTES, NAMES, SIGNIFICANT_TEXT, rule_for

_Dict = dict[str, Value]


class Name(str):
    """The name of a component, an object or a user; comparisons ignore its case."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self.lower() == other.lower() if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.lower())


def normalize(component: Component) -> Component:
    """
    Return the normal form of a component, without elements that an org adds and elements without meaning.

    The result is cached in the component, since a plan compares most components several times.
    """
    normal: Component | None = component.__dict__.get(_NORMAL)
    if normal is None:
        body = _normalize_body(component)
        normal = component if body is component.body else Component(component.type, component.full_name, body)
        component.__dict__[_NORMAL] = normal
    return normal


def normal_body(component: Component | None) -> Body | None:
    """Return the body of the normal form; None for a component that does not exist."""
    return normalize(component).body if component else None


_NORMAL = "_normal"
"""The attribute of a component with its cached normal form."""


def mean_the_same(component: Component, other: Component) -> bool:
    """Return whether two components have the same normal form."""
    return component == other or normalize(component) == normalize(other)


def differ(components: Collection[Component], other_components: Collection[Component]) -> bool:
    """Return whether two collections of components differ in addresses or normal forms."""
    others_by_address = {component.address: component for component in other_components}
    return len(components) != len(others_by_address) or not all(
        component.address in others_by_address and mean_the_same(component, others_by_address[component.address])
        for component in components
    )


def _normalize_body(component: Component) -> Body:
    if schema_table.elements(component.type) is not None:
        return _complex(component.type, component.body)
    names = NAMES.get(component.type, ())
    if not names:
        return component.body
    return {
        key: Name(value) if key in names and isinstance(value, str) else value for key, value in component.body.items()
    }


@dataclass(frozen=True, slots=True)
class _Element:
    """The rules for the normal form of one element of a type."""

    type: str
    is_complex: bool
    repeated: bool
    ignored: bool
    """Whether no value of the element has a meaning."""
    default: Value
    """The default value, if there is one."""
    blank_counts: bool
    is_significant: bool
    """Whether blanks around a text are significant."""
    is_name: bool
    grants: Callable[[_Dict], bool] | None


@functools.lru_cache(512)
def _elements(type_: str) -> Mapping[str, _Element]:
    elements = {}
    for name, spec in (schema_table.elements(type_) or {}).items():
        rule = rule_for(type_, name)
        is_significant = name in SIGNIFICANT_TEXT.get(type_, ())
        elements[name] = _Element(
            type=spec.type,
            is_complex=schema_table.elements(spec.type) is not None,
            repeated=spec.repeated,
            ignored=rule is not None and rule.default is None,
            default=rule.default if rule else None,
            blank_counts=spec.required or is_significant,
            is_significant=is_significant,
            is_name=name in NAMES.get(type_, ()),
            grants=_GRANTS.get(type_, {}).get(name),
        )
    return elements


def _complex(type_: str, body: Body) -> Body:
    """Return the normal form of a body; the body itself if it has that form, to save memory."""
    elements = _elements(type_)
    normal_body: _Dict = {}
    is_same = True
    for name, raw in body.items():
        element = elements.get(name)
        if element is None or raw is None or element.ignored:
            continue
        value = _values(element, raw)
        if element.default is not None and value == element.default:
            continue
        if not value and (value in ({}, []) or (value == "" and not element.blank_counts)):
            continue
        normal_body[name] = value
        is_same &= value is raw
    special = _SPECIAL.get(type_)
    result = special(normal_body) if special else normal_body
    return body if is_same and result is normal_body and len(result) == len(body) else result


def _values(element: _Element, value: Value) -> Value:
    if not element.repeated:
        return _value(element, value)
    if isinstance(value, dict):
        entries = {name: _value(element, entry) for name, entry in sorted(value.items())}
        grants = element.grants
        return {name: entry for name, entry in entries.items() if not grants or grants(cast(_Dict, entry))}
    if isinstance(value, list | tuple):
        return [_value(element, item) for item in value]
    return value


def _value(element: _Element, value: Value) -> Value:
    if isinstance(value, str):
        if element.type == "double":
            return _number(value)
        if element.is_significant:
            return value
        text = value.replace("\r\n", "\n").strip()
        return Name(text) if element.is_name else text
    if element.is_complex and isinstance(value, dict):
        return cast(_Dict, _complex(element.type, value))
    return value


def _number(text: str) -> str:
    """Format a number as an org does: 63 as 63.0."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def _flow(body: _Dict) -> _Dict:
    notes = body.get("processMetadataValues")
    if isinstance(notes, Mapping):
        further_notes = {name: note for name, note in notes.items() if name not in BUILDER_NOTES}
        body = (
            {**body, "processMetadataValues": further_notes}
            if further_notes
            else _without(body, "processMetadataValues")
        )
    # The default of Flow Builder: the label and the time of the run.
    if body.get("interviewLabel") == f"{body.get('label', '')} {{!$Flow.CurrentDateTime}}":
        body = _without(body, "interviewLabel")
    return body


def _action_call(body: _Dict) -> _Dict:
    # Since API 58 an org repeats the action's name here.
    return _without(body, "nameSegment") if body.get("nameSegment") == body.get("actionName") else body


def _field_permission(body: _Dict) -> _Dict:
    # An org grants read with edit, and does not store a row without read.
    editable = body.get("editable") is True
    readable = editable or body.get("readable") is True
    if body.get("editable") is editable and body.get("readable") is readable:
        return body
    return {**body, "editable": editable, "readable": readable}


def _object_permission(body: _Dict) -> _Dict:
    rights = (
        spec.name for spec in (schema_table.elements("PermissionSetObjectPermissions") or {}).values() if spec.required
    )
    return {**{right: False for right in rights if right != "object"}, **body}


def _without(body: _Dict, name: str) -> _Dict:
    return {key: value for key, value in body.items() if key != name}


def _report_folder(body: _Dict) -> _Dict:
    # An org adds the creator of the folder as its manager.
    shares = body.get("folderShares")
    if not isinstance(shares, list):
        return body
    remaining_shares = [share for share in shares if not _is_creator(share)]
    return {**body, "folderShares": remaining_shares} if remaining_shares else _without(body, "folderShares")


def _is_creator(share: Value) -> bool:
    return isinstance(share, Mapping) and (share.get("accessLevel"), share.get("sharedToType")) == ("Manage", "User")


def _app_settings(body: _Dict) -> _Dict:
    # An org accepts and returns a certificate with or without its BEGIN and END lines.
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
    # Since API 40 a deployed permission set replaces the existing one. An org does not store rows without rights.
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
"""Functions that select the significant rows of a repeated element, by type and element."""
