"""The names that generation gives."""

from __future__ import annotations

import re

_CUSTOM = re.compile(r"__[a-z]{1,3}$")


def is_custom(name: str) -> bool:
    """Tell custom names (`Plan__c`, `Score__pc`, `Place__Latitude__s`) from standard ones."""
    return _CUSTOM.search(name) is not None


def label(name: str) -> str:
    """Make a label of an API name: `Appcues_User_Id__c` becomes `Appcues User Id`."""
    return " ".join(_CUSTOM.sub("", name).replace("_", " ").split())


def integration_set(project: str) -> str:
    """Name the permission set of the integration user."""
    return f"{project}_Integration"


def viewer_set(project: str) -> str:
    """Name the permission set of the people who read the results."""
    return f"{project}_Viewer"


def relay_app(project: str) -> str:
    """Name the External Client App by which the relay signs in."""
    return f"{project}_Relay"


def event_id_field(project: str) -> str:
    """Name the external id field on Activity."""
    return f"{project}_Event_Id__c"


def mapping_name(project: str, mapping: str) -> str:
    """Name the message, the flow and the rule of a mapping."""
    return f"{project}_{mapping}"


def activities(project: str) -> str:
    """Name the custom object that activities become with `activities_as: custom_object`."""
    return f"{project}_Activity__c"


def activity_field(project: str, what: str) -> str:
    """Name one of the fields of that object: Subject, Comment, Event or Time."""
    return f"{project}_{what}__c"


def lookup_field(object_name: str) -> str:
    """Name its lookup to a mapped object: `Contact__c`, `Workshop__c`, `ns_Workshop__c` of `ns__Workshop__c`."""
    return f"{object_name.removesuffix('__c').replace('__', '_')}__c"
