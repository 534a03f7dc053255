"""The local org's Metadata API: SOAP, the REST deploy resource, and as much of Tooling as flows need."""

from __future__ import annotations

from starlette.routing import Route

from sfcode.local.context import Context


def routes(context: Context) -> list[Route]:
    """List the routes of the Metadata and Tooling APIs of one server."""
    from sfcode.local.metadata import endpoint, rest_deploy, tooling
    from sfcode.local.metadata.deploy.jobs import Deployments

    jobs = Deployments(context)
    return [*endpoint.routes(context, jobs), *rest_deploy.routes(context, jobs), *tooling.routes(context, jobs)]
