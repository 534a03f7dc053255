"""The REST API: routes and wire format. `sobjects` and `soql` implement the operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

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

    found: list[BaseRoute] = [
        *identity.routes(context),
        *query.routes(context),
        *collections.routes(context),
        *resources.routes(context),
        *records.routes(context),
    ]
    jobs = cache(lambda: _bulk(context))
    reports = cache(lambda: _analytics(context))
    return [
        LazyRoutes(ANALYTICS, reports),
        LazyRoutes(COMPOSITE, lambda: _composite(context, [*jobs(), *found])),
        LazyRoutes(BULK, jobs),
        *found,
    ]


def _analytics(context: OrgContext) -> Sequence[BaseRoute]:
    from sfcode.local.rest import analytics

    return analytics.routes(context)


def _composite(context: OrgContext, others: Sequence[BaseRoute]) -> Sequence[BaseRoute]:
    from sfcode.local.rest import composite

    return composite.routes(context, others)


def _bulk(context: OrgContext) -> Sequence[BaseRoute]:
    from sfcode.local.rest import bulk

    return bulk.routes(context)
