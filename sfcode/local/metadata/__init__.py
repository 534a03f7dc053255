"""The local org's Metadata API: SOAP, the REST deploy resource, and the part of the Tooling API that flows need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from sfcode.local.context import OrgContext

REST_DEPLOY = r"/services/data/[^/]+/metadata(/|$)"
TOOLING = r"/services/data/[^/]+/tooling(/|$)"


def routes(context: OrgContext) -> list[BaseRoute]:
    """List the routes of the Metadata and Tooling APIs of one server."""
    from sfcode.local.http.lazy_routes import LazyRoutes
    from sfcode.local.metadata import endpoint
    from sfcode.local.metadata.deploy.jobs import Deployments

    jobs = Deployments(context)
    return [
        *endpoint.routes(context, jobs),
        LazyRoutes(REST_DEPLOY, f"{__name__}.rest_deploy", context, jobs),
        LazyRoutes(TOOLING, f"{__name__}.tooling", context, jobs),
    ]
