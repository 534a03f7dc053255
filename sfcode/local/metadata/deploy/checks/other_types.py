"""Check custom objects, static resources and the parts of External Client Apps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfcode.local.metadata.deploy.checks.common import check_lengths
from sfcode.local.metadata.deploy.org_view import Subject
from sfcode.local.metadata.names import ACTIVITY
from sfcode.local.sobjects.values import check_developer_name

ENDINGS = ("__c", "__kav", "__x", "__b", "__e", "__p", "__mdt", "__dll", "__dlm")
OBJECT_LIMITS = {"label": ("MasterLabel", 40), "pluralLabel": ("PluralLabel", 40), "description": ("Description", 1000)}


def custom_object(subject: Subject) -> Iterator[str]:
    """Check an object."""
    name = subject.component.full_name
    if not name.endswith(ENDINGS):
        if subject.view.object(name) is None and name != ACTIVITY:
            yield "fullName must end with: " + " or ".join(ENDINGS)
        return
    yield from check_developer_name("The Object Name", name[: name.rindex("__")], 40)
    if not subject.body.get("label"):
        yield "Must specify a non-empty label for the CustomObject"
    if name.endswith("__c") and "customSettingsType" not in subject.body:
        if not subject.body.get("pluralLabel"):
            yield "Must specify a non-empty pluralLabel for the CustomObject"
        name_field = subject.body.get("nameField")
        if not isinstance(name_field, Mapping) or name_field.get("type") not in {"Text", "AutoNumber"}:
            yield "Must specify a nameField of type Text or AutoNumber"
    yield from check_lengths(subject.body, OBJECT_LIMITS)


MAX_BYTES = 5 * 1024 * 1024
"""The maximum size of a static resource: https://help.salesforce.com/s/articleView?id=platform.pages_static_resources.htm"""


def static_resource(subject: Subject) -> Iterator[str]:
    """Check a static resource."""
    yield from check_developer_name("Static Resource Name: The Static Resource Name", subject.component.full_name, 255)
    yield from check_lengths(subject.body, {"description": ("Description", 255)})
    if not str(subject.body.get("contentType") or "").strip():
        yield "Required field is missing: contentType"
    encoded = str(subject.body.get("content") or "")
    if len(encoded.rstrip("=")) * 3 // 4 > MAX_BYTES:
        yield "Static resource cannot exceed 5 MB in size"


def app_part(subject: Subject) -> Iterator[str]:
    """Check a part of an app."""
    name = str(subject.body.get("externalClientApplication") or "")
    if not subject.view.has("ExternalClientApplication", name):
        yield f"In field: externalClientApplication - no ExternalClientApplication named {name} found"


def app_policies(subject: Subject) -> Iterator[str]:
    """Check the policies that control who may sign in through an app."""
    yield from app_part(subject)
    for name in str(subject.body.get("commaSeparatedPermissionSet") or "").split(","):
        if name.strip() and not subject.view.has("PermissionSet", name.strip()):
            yield f"In field: commaSeparatedPermissionSet - no PermissionSet named {name.strip()} found"
    app = subject.body.get("externalClientApplication")
    for policy in subject.view.tx.components.list_all(subject.component.type):
        if (
            policy.component.body.get("externalClientApplication") == app
            and policy.component.full_name != subject.component.full_name
        ):
            # An app has one policy of a type. The message is quoted in threads about policies with other names.
            yield f"DUPLICATE_VALUE: ExtlClntAppOauthSettingsId duplicates value on record with id: {policy.id[:15]}"
    user = str(subject.body.get("clientCredentialsFlowUser") or "")
    if user and subject.view.active_user(user) is None:
        yield "Enter a valid execution user for the OAuth client credentials flow."
