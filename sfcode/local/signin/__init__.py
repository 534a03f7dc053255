"""Sign-in to the local org: OAuth, SOAP login, passwords and registered apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import Route

    from sfcode.local.context import OrgContext


def routes(context: OrgContext) -> list[Route]:
    """List the routes for sign-in and sign-out."""
    # Imported here, since this package is also imported to load a company, which needs no web server.
    from sfcode.local.signin import endpoint, partner, passwords

    return [*endpoint.routes(context), *partner.routes(context), *passwords.routes(context)]
