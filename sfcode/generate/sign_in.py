"""
Generate the External Client App for the relay's sign-in.

It is not a connected app, since Salesforce no longer allows new ones. Only users with the integration's
permission set may use the app. The org generates its consumer key and secret, which are in no file, state or plan.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_externalclientapplication.htm
"""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.pem import certificate_text
from sfcode.config.project import Project
from sfcode.generate.template_context import Blueprint, SignInView, origin
from sfcode.mapping import naming
from sfcode.mapping.naming import MANAGED
from sfcode.metadata.component import Address

CALLBACK = "https://login.salesforce.com/services/oauth2/success"
"""A required callback URL, which neither sign-in flow uses."""

PARTS = {
    "ExternalClientApplication": "",
    "ExtlClntAppGlobalOauthSettings": "_glbloauth",
    "ExtlClntAppOauthSettings": "_oauth",
    "ExtlClntAppOauthConfigurablePolicies": "_oauth_defaultPolicy",
    "ExtlClntAppConfigurablePolicies": "_defaultPolicy",
}
"""
The metadata types of an app, and the suffixes of their components' names.

When an app is deployed, the org creates its policies under these names, and refuses a second OAuth policy of an
app: DUPLICATE_VALUE. Apps that are created in Setup have the policies `_oauthPlcy` and `_plcy` instead.
https://help.salesforce.com/s/articleView?id=xcloud.meta_configure_external_client_app_policies.htm
"""

SCOPES = {"jwt": "Api, RefreshToken", "client_credentials": "Api"}
"""
OAuth scopes of the app, by sign-in flow. The JWT flow requires RefreshToken, although it returns no refresh token.
"""


def blueprints(project: Project) -> Iterator[Blueprint]:
    """Return the components of the app, if the config has one."""
    sign_in = project.settings.relay.sign_in
    if sign_in is None:
        return
    user, name = project.settings.integration_user, naming.relay_app(project.settings.name)
    place = project.place("relay", "sign_in")
    view = SignInView(
        name=name,
        label=naming.label(name),
        description=f"{MANAGED} The relay between Salesforce and Appcues signs in by it.",
        contact_email=user.email,
        flow=sign_in.flow,
        certificate=certificate_text(sign_in.certificate) if sign_in.certificate else "",
        callback_url=CALLBACK,
        scopes=SCOPES[sign_in.flow],
        permission_set=project.integration_set,
        username=user.username,
    )
    for type_, end in PARTS.items():
        address = Address(type_, f"{name}{end}")
        places = {
            "": place,
            user.username: project.place("integration_user", "username"),
            user.email: project.place("integration_user", "email"),
        }
        origins = tuple(origin(address, token, token_place) for token, token_place in places.items())
        yield Blueprint(address, view, place, origins)
