"""The local org's Metadata API: SOAP, the REST deploy resource, and the part of the Tooling API that flows need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from sfcode.local.context import OrgContext
    from sfcode.local.metadata.deploy.jobs import Deployments

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
        LazyRoutes(REST_DEPLOY, lambda: _rest_deploy(context, jobs)),
        LazyRoutes(TOOLING, lambda: _tooling(context, jobs)),
    ]


def _rest_deploy(context: OrgContext, jobs: Deployments) -> Sequence[BaseRoute]:
    from sfcode.local.metadata import rest_deploy

    return rest_deploy.routes(context, jobs)


def _tooling(context: OrgContext, jobs: Deployments) -> Sequence[BaseRoute]:
    from sfcode.local.metadata import tooling

    return tooling.routes(context, jobs)
