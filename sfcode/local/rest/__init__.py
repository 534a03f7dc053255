"""The REST API: routes and wire format. `sobjects` and `soql` implement the operations."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sfcode.local.context import OrgContext
from sfcode.local.http.lazy_routes import LazyRoutes

ANALYTICS = r"/services/data/[^/]+/analytics/"
BULK = r"/services/data/[^/]+/jobs(/|$)"
COMPOSITE = r"/services/data/[^/]+/composite(/|$)"


def routes(context: OrgContext) -> list[BaseRoute]:
    """List the routes of the REST API, specific ones first."""
    # Importing a module of this package imports the package, so it loads nothing by itself.
    from sfcode.local.rest import collections, identity, query, records, resources

    rest_routes: list[BaseRoute] = [
        *identity.routes(context),
        *query.routes(context),
        *collections.routes(context),
        *resources.routes(context),
        *records.routes(context),
    ]
    return [
        LazyRoutes(ANALYTICS, f"{__name__}.analytics", context),
        LazyRoutes(COMPOSITE, f"{__name__}.composite", context, rest_routes),
        LazyRoutes(BULK, f"{__name__}.bulk", context),
        *rest_routes,
    ]
