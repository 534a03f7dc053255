"""
The supported API versions, and properties that exist only from some API version on.

Such a property is refused in packages of older versions, and omitted when components are retrieved in an older version.

The list has observed and documented properties, not every property of every type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.local.http.call import VERSIONS
from sfcode.metadata import schema_table
from sfcode.metadata.component import Component

NEWEST = float(VERSIONS[-1])
"""The newest API version of the org, which refuses packages of newer versions."""
FIRST_IN_SCHEMA = 44.0
"""The first API version that the schema covers, up to that of the WSDL. Other versions may have unknown elements."""

FLOW_NUMBER = re.compile(r"-\d+$")
"""Matches the version number at the end of a flow's name, as in packages of versions before FIRST_IN_SCHEMA."""

SINCE: Mapping[str, Mapping[str, float]] = {
    "CustomField": {"businessStatus": 45.0, "securityClassification": 45.0},
    "Flow": {"filterFormula": 55.0, "nameSegment": 55.0, "versionSegment": 55.0},
    "PermissionSet": {"viewAllFields": 63.0},
    "Profile": {"viewAllFields": 63.0},
}
"""
The first API version of a property at any depth, by metadata type and name.

businessStatus: https://github.com/scolladon/sfdc-git-package/issues/12 (not in 40)

nameSegment: https://github.com/forcedotcom/devops-center-roadmap/issues/145 (not in 54)

filterFormula: https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_visual_workflow.htm
"""


def is_beyond_schema(version: float) -> bool:
    """Return whether the schema does not cover an API version; its unknown elements are then stored unchanged."""
    return not FIRST_IN_SCHEMA <= version <= float(schema_table.api_version())


def find_newer(component: Component, version: float) -> Iterator[str]:
    """Report each property that the version does not have: `Property 'viewAllFields' not valid in version 62.0`."""
    newer = _newer(component.type, version)
    for name in sorted(newer & set(_names(component.body)) if newer else ()):
        yield f"Property '{name}' not valid in version {version:.1f}"


def drop_newer(component: Component, version: float) -> Component:
    """Remove properties that the version does not have."""
    newer = _newer(component.type, version)
    return Component(component.type, component.full_name, _without(component.body, newer)) if newer else component


def _newer(type_: str, version: float) -> set[str]:
    return {name for name, since in SINCE.get(type_, {}).items() if version < since}


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
        for member in value.values():
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _without(member, names) for name, member in value.items() if name not in names}
    return [_without(member, names) for member in value] if isinstance(value, list) else value
