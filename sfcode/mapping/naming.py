"""The names of generated components, the texts that mark them as managed, and placeholders for missing values."""

from __future__ import annotations

import re
from collections.abc import Iterable

MANAGED_BY = "Managed by sfcode"
"""The prefix of all descriptions of generated components."""

MANAGED = f"{MANAGED_BY}: do not edit by hand."
"""The beginning of the description of every generated component, except permission sets."""

MANAGED_SET = f"{MANAGED_BY}: do not edit by hand, it is replaced as a whole."
"""The beginning of the description of every generated permission set."""

PLACEHOLDER_ACCOUNT = "FILL_IN"
PLACEHOLDER_RELAY_URL = "https://fill-in.invalid"
"""The placeholders that `sfcode import` writes for the Appcues account and the relay, which an org does not contain."""

_CUSTOM = re.compile(r"__[a-z]{1,3}$", re.IGNORECASE)


def is_custom(name: str) -> bool:
    """Return whether a name is custom (`Plan__c`, `Score__pc`, `Place__Latitude__s`)."""
    return _CUSTOM.search(name) is not None


def is_same_name(first: object, second: object) -> bool:
    """Return whether two names are equal in Salesforce, which ignores the case of names of objects, fields, users and profiles."""
    return str(first).lower() == str(second).lower()


def find_name(name: str, names: Iterable[str]) -> str | None:
    """Return a name as it is spelled in `names`, ignoring case; None if they do not contain it."""
    return next((candidate for candidate in names if is_same_name(candidate, name)), None)


class NameSet(frozenset[str]):
    """Names of Salesforce; `in` ignores their case, like Salesforce."""

    def __contains__(self, name: object) -> bool:
        return any(is_same_name(name, member) for member in self)


def label(name: str) -> str:
    """Convert an API name to a label: `Appcues_User_Id__c` becomes `Appcues User Id`."""
    return " ".join(_CUSTOM.sub("", name).replace("_", " ").split())


def integration_set(project: str) -> str:
    """Return the name of the integration user's permission set."""
    return f"{project}_Integration"


def viewer_set(project: str) -> str:
    """Return the name of the viewers' permission set."""
    return f"{project}_Viewer"


def relay_app(project: str) -> str:
    """Return the name of the External Client App of the relay."""
    return f"{project}_Relay"


def event_id_field(project: str) -> str:
    """Return the name of the external ID field on Activity."""
    return f"{project}_Event_Id__c"


def mapping_name(project: str, mapping: str) -> str:
    """Return the name of a mapping's message, flow and rule."""
    return f"{project}_{mapping}"


def activities(project: str) -> str:
    """Return the name of the custom object for activities (`activities_as: custom_object`)."""
    return f"{project}_Activity__c"


def activity_field(project: str, suffix: str) -> str:
    """Return the name of a field of the custom object for activities: Subject, Comment, Event or Time."""
    return f"{project}_{suffix}__c"


def item_field(project: str) -> str:
    """Return the name of the field of an activity for the flow, survey, checklist or goal."""
    return f"{project}_Item__c"


def item_fields(project: str) -> tuple[str, str]:
    """Return the names of the fields of an Event or a Task for the Appcues event and its item."""
    return (activity_field(project, "Event"), item_field(project))


def response_object(project: str) -> str:
    """Return the name of the object for NPS answers."""
    return f"{project}_NPS_Response__c"


def lookup_field(object_name: str) -> str:
    """Return the name of a lookup to a mapped object: `Contact__c`, `Workshop__c`, `ns_Workshop__c` for `ns__Workshop__c`."""
    return f"{object_name.removesuffix('__c').replace('__', '_')}__c"
