"""The REST API: routes, and what goes over the wire. What is done about it is in `sobjects` and `soql`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from starlette.routing import BaseRoute

from sfcode.local.context import Context
from sfcode.local.lazy_routes import Lazy

BULK = r"/services/data/[^/]+/jobs(/|$)"
COMPOSITE = r"/services/data/[^/]+/composite(/|$)"


def routes(context: Context) -> list[BaseRoute]:
    """List the routes of the REST API; the more particular ones come first."""
    # Whoever needs a module of this package imports the package: it loads nothing by itself.
    from sfcode.local.rest import collections, identity, query, records, resources

    found: list[BaseRoute] = [
        *identity.routes(context),
        *query.routes(context),
        *collections.routes(context),
        *resources.routes(context),
        *records.routes(context),
    ]
    jobs = cache(lambda: _bulk(context))
    return [Lazy(COMPOSITE, lambda: _composite(context, [*jobs(), *found])), Lazy(BULK, jobs), *found]


def _composite(context: Context, others: Sequence[BaseRoute]) -> Sequence[BaseRoute]:
    from sfcode.local.rest import composite

    return composite.routes(context, others)


def _bulk(context: Context) -> Sequence[BaseRoute]:
    from sfcode.local.rest import bulk

    return bulk.routes(context)
