"""The records of a project: the integration user, its license, permission set assignments, and campaigns with their statuses."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.project import Project
from sfcode.generate.template_context import origin
from sfcode.mapping import naming
from sfcode.mapping.desired import Origin
from sfcode.mapping.place import Place
from sfcode.metadata.component import Address, Component, Value, make_assignment


def records(project: Project) -> tuple[tuple[Component, ...], tuple[Origin, ...]]:
    """Return the records of a project, and the origins of their values."""
    user = project.settings.integration_user
    permission_set = project.integration_set
    set_place = project.place("integration_user", "permission_set") if user.permission_set else project.place("name")
    username = project.place("integration_user", "username")
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
                user.profile: project.place("integration_user", "profile"),
                user.license: project.place("integration_user", "license"),
                user.email: project.place("integration_user", "email"),
                user.last_name: project.place("integration_user", "last_name"),
            },
        ),
        (
            make_assignment("PermissionSetLicenseAssign", user.permission_set_license, user.username),
            {
                user.permission_set_license: project.place("integration_user", "permission_set_license"),
                user.username: username,
            },
        ),
        (
            make_assignment("PermissionSetAssignment", permission_set, user.username),
            {permission_set: set_place, user.username: username},
        ),
        *_viewer_rows(project),
        *_campaign_rows(project),
    )
    origins = [
        origin(row.address, token, place) for row, places in rows for token, place in {"": username, **places}.items()
    ]
    return tuple(sorted((row for row, _ in rows), key=lambda row: row.address)), tuple(origins)


def _viewer_rows(project: Project) -> Iterator[tuple[Component, dict[str, Place]]]:
    name = naming.viewer_set(project.settings.name)
    for index, username in enumerate(project.settings.viewers):
        place = project.place("viewers", index)
        yield make_assignment("PermissionSetAssignment", name, username), {"": place, username: place}


def _campaign_rows(project: Project) -> Iterator[tuple[Component, dict[str, Place]]]:
    """Yield the campaigns to create and the statuses of their members, each status with the statuses after it."""
    registrations = project.recipes.event_registration
    statuses = {
        key: list(dict.fromkeys(entry.status for entry in registrations if entry.campaign.key == key))
        for key in dict.fromkeys(entry.campaign.key for entry in registrations)
    }
    addresses: set[Address] = set()
    for index, registration in enumerate(registrations):
        campaign, status = registration.campaign, registration.status
        reference: dict[str, Value] = {"CampaignId": campaign.id} if campaign.id else {"CampaignName": campaign.name}
        labels = statuses[campaign.key]
        after: list[Value] = [*labels[labels.index(status) + 1 :]]
        body: dict[str, Value] = {**reference, "Label": status, "Before": after}
        rows = [(Component("CampaignMemberStatus", f"{campaign.key}/{status}", body), "status")]
        if campaign.create:
            rows.append((Component("Campaign", campaign.key, reference), "campaign"))
        for row, key in rows:
            if row.address not in addresses:
                addresses.add(row.address)
                place = project.recipe_place("event_registration", index, key)
                yield row, {"": place, campaign.key: place}
