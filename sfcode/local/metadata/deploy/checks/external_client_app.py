"""Check the parts of an External Client App and their references to the app, users and permission sets."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.local.metadata.deploy.org_view import Subject


def part(subject: Subject) -> Iterator[str]:
    """Check a part of an app."""
    name = str(subject.body.get("externalClientApplication") or "")
    if not subject.view.has("ExternalClientApplication", name):
        yield f"In field: externalClientApplication - no ExternalClientApplication named {name} found"


def policies(subject: Subject) -> Iterator[str]:
    """Check the policies that control who may sign in through an app."""
    yield from part(subject)
    for name in str(subject.body.get("commaSeparatedPermissionSet") or "").split(","):
        if name.strip() and not subject.view.has("PermissionSet", name.strip()):
            yield f"In field: commaSeparatedPermissionSet - no PermissionSet named {name.strip()} found"
    user = str(subject.body.get("clientCredentialsFlowUser") or "")
    if user and subject.view.active_user(user) is None:
        yield f"In field: clientCredentialsFlowUser - no User named {user} found"
