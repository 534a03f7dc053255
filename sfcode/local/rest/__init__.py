"""The REST API: routes, and what goes over the wire. What is done about it is in `sobjects` and `soql`."""

from __future__ import annotations

from starlette.routing import Route

from sfcode.local.context import Context
from sfcode.local.rest import bulk, collections, composite, identity, query, records, resources


def routes(context: Context) -> list[Route]:
    """List the routes of the REST API; the more particular ones come first."""
    found = [
        *identity.routes(context),
        *query.routes(context),
        *bulk.routes(context),
        *collections.routes(context),
        *resources.routes(context),
        *records.routes(context),
    ]
    return [*composite.routes(context, found), *found]
