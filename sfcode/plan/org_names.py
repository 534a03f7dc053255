"""Names that an org chooses: usernames in a sandbox, and the policies of the relay's app."""

from __future__ import annotations

from dataclasses import replace

from sfcode.config.project import Project
from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Address
from sfcode.org import Org
from sfcode.plan.sandbox_names import choose_username

POLICIES = ("ExtlClntAppConfigurablePolicies", "ExtlClntAppOauthConfigurablePolicies")
"""Types of which an app has exactly one component, with any name."""


def rename_user_as_org(project: Project, org: Org) -> Project:
    """Rename the integration user and the viewers to their usernames in this org; a sandbox may add a suffix."""
    if not org.identity.sandbox:
        return project
    settings = project.settings
    user, former = settings.integration_user, settings.moved.user
    usernames = _list_usernames(org, user.username)
    username = choose_username(user.username, usernames, org.instance_url)
    if former and not usernames:
        former = choose_username(former, _list_usernames(org, former), org.instance_url)
    viewers = tuple(
        choose_username(viewer, _list_usernames(org, viewer), org.instance_url, role="the viewer", key="viewers")
        for viewer in settings.viewers
    )
    renamed = user if username == user.username else user.model_copy(update={"username": username.lower()})
    moved = settings.moved.model_copy(update={"user": former})
    update = {"integration_user": renamed, "moved": moved, "viewers": viewers}
    return replace(project, settings=settings.model_copy(update=update))


def _list_usernames(org: Org, beginning: str) -> list[str]:
    rows = org.query("SELECT Username FROM User WHERE Username LIKE '{:like}%'", beginning)
    return [str(row["Username"]) for row in rows]


def rename_policies_as_org(org: Org, generated: Desired) -> Desired:
    """
    Rename the app's policies to their names in this org, since it refuses a second policy of an app.

    An org names them `X_defaultPolicy` and `X_oauth_defaultPolicy` if the app was deployed, and `X_plcy` and
    `X_oauthPlcy` if it was created in Setup.
    """
    own = {component.type: component for component in generated.components if component.type in POLICIES}
    names: dict[Address, Address] = {}
    listed = org.metadata.list_metadata(*own) if own else ()
    for type_, component in own.items():
        org_names = {item.full_name.lower(): item.full_name for item in listed if item.type == type_}
        if component.full_name.lower() in org_names:
            continue
        app = str(component.body["externalClientApplication"]).lower()
        for policy in org.metadata.read_metadata(type_, org_names.values()):
            if str(policy.body.get("externalClientApplication")).lower() == app:
                names[component.address] = policy.address
    if not names:
        return generated
    components = (
        replace(component, full_name=names.get(component.address, component.address).full_name)
        for component in generated.components
    )
    origins = (replace(origin, address=names.get(origin.address, origin.address)) for origin in generated.origins)
    return replace(
        generated,
        components=tuple(sorted(components)),
        origins=tuple(sorted(origins, key=lambda origin: origin.address)),
    )
