"""Check custom objects: required properties, and names that no object has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfcode.local.metadata.deploy.checks.common import too_long
from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.sobjects.values import developer_name

ENDINGS = ("__c", "__kav", "__x", "__b", "__e", "__p", "__mdt", "__dll", "__dlm")
LIMITS = {"label": ("MasterLabel", 40), "pluralLabel": ("PluralLabel", 40), "description": ("Description", 1000)}
ACTIVITY = "Activity"


def check(subject: Subject) -> Iterator[str]:
    """Check an object."""
    name = subject.component.full_name
    if not name.endswith(ENDINGS):
        if subject.view.object(name) is None and name != ACTIVITY:
            yield "fullName must end with: " + " or ".join(ENDINGS)
        return
    yield from developer_name("The Object Name", name[: name.rindex("__")], 40)
    if not subject.body.get("label"):
        yield "Must specify a non-empty label for the CustomObject"
    if name.endswith("__c") and "customSettingsType" not in subject.body:
        if not subject.body.get("pluralLabel"):
            yield "Must specify a non-empty pluralLabel for the CustomObject"
        name_field = subject.body.get("nameField")
        if not isinstance(name_field, Mapping) or name_field.get("type") not in {"Text", "AutoNumber"}:
            yield "Must specify a nameField of type Text or AutoNumber"
    yield from too_long(subject.body, LIMITS)
