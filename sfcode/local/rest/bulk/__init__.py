"""
Bulk API 2.0: ingest of CSV, and queries with CSV results.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm
"""

from __future__ import annotations

from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.rest.bulk import ingest_routes, query_routes
from sfcode.local.rest.bulk.worker import BulkWorker


def routes(context: OrgContext) -> list[Route]:
    """List the routes of the Bulk API."""
    work = BulkWorker(context)
    return [*ingest_routes.routes(context, work), *query_routes.routes(context, work)]
