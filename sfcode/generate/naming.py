"""The names that generation gives, and what Salesforce allows a name to be."""

from __future__ import annotations

import re

MAX_FIELD_NAME = 40
"""Characters of a custom field's name in front of `__c`."""
MAX_DEVELOPER_NAME = 80
"""Characters of the name of a flow, an outbound message or a permission set."""

_CUSTOM = re.compile(r"__[a-z]{1,3}$")
_DEVELOPER_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def is_custom(name: str) -> bool:
    """Tell custom names (`Plan__c`, `Score__pc`, `Place__Latitude__s`) from standard ones."""
    return _CUSTOM.search(name) is not None


def is_developer_name(name: str) -> bool:
    """Tell whether Salesforce takes this as a developer name; two underscores in a row are kept for namespaces."""
    return len(name) <= MAX_DEVELOPER_NAME and _DEVELOPER_NAME.fullmatch(name) is not None


def label(name: str) -> str:
    """Make a label of an API name: `Appcues_User_Id__c` becomes `Appcues User Id`."""
    return " ".join(_CUSTOM.sub("", name).replace("_", " ").split())


def integration_set(project: str) -> str:
    """Name the permission set of the integration user."""
    return f"{project}_Integration"


def viewer_set(project: str) -> str:
    """Name the permission set of the people who read the results."""
    return f"{project}_Viewer"


def event_id_field(project: str) -> str:
    """Name the external id field on Activity."""
    return f"{project}_Event_Id__c"


def mapping_name(project: str, mapping: str) -> str:
    """Name the message, the flow and the rule of a mapping."""
    return f"{project}_{mapping}"
