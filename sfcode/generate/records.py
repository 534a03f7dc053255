"""Rows that must exist next to the metadata: the integration user, its licence and its permission set."""

from __future__ import annotations

from sfcode.config.project import Project
from sfcode.generate.desired import Origin
from sfcode.generate.template_context import origin
from sfcode.mapping import naming
from sfcode.mapping.resolved import settings_place
from sfcode.metadata.component import Component


def records(project: Project) -> tuple[tuple[Component, ...], tuple[Origin, ...]]:
    """List the records of a project, and where each of their values comes from."""
    user = project.settings.integration_user
    permission_set = naming.integration_set(project.settings)
    named = settings_place(project, *(("integration_user", "permission_set") if user.permission_set else ("name",)))
    username = settings_place(project, "integration_user", "username")
    rows = (
        (
            Component(
                "User",
                user.username,
                {
                    "Username": user.username,
                    "LastName": user.last_name,
                    "Email": user.email,
                    "Profile": user.profile,
                    "IsActive": True,
                },
            ),
            {
                user.username: username,
                user.profile: settings_place(project, "integration_user", "profile"),
                user.license: settings_place(project, "integration_user", "license"),
                user.email: settings_place(project, "integration_user", "email"),
                user.last_name: settings_place(project, "integration_user", "last_name"),
            },
        ),
        (
            Component(
                "PermissionSetLicenseAssign",
                f"{user.permission_set_license}/{user.username}",
                {"Assignee": user.username, "PermissionSetLicense": user.permission_set_license},
            ),
            {
                user.permission_set_license: settings_place(project, "integration_user", "permission_set_license"),
                user.username: username,
            },
        ),
        (
            Component(
                "PermissionSetAssignment",
                f"{permission_set}/{user.username}",
                {"Assignee": user.username, "PermissionSet": permission_set},
            ),
            {permission_set: named, user.username: username},
        ),
    )
    origins = [
        origin(row.address, token, place) for row, places in rows for token, place in {**places, "": username}.items()
    ]
    return tuple(sorted((row for row, _ in rows), key=lambda row: row.address)), tuple(origins)
