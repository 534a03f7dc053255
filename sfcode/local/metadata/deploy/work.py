"""One deploy from the zip to its outcome."""

from __future__ import annotations

from sfcode.local.context import OrgContext
from sfcode.local.metadata.deploy.engine import Finish, deploy
from sfcode.local.metadata.deploy.jobs import DeployRefused
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.deploy.package import open_package
from sfcode.local.metadata.deploy.store import Author
from sfcode.metadata.errors import MetadataError


def carry_out(context: OrgContext, data: bytes, options: DeployRequestOptions, user_id: str, finish: Finish) -> None:
    """Open a package and deploy it; `finish` notes the outcome. Raises DeployRefused for what is not begun."""
    try:
        package = open_package(data, options)
    except MetadataError as error:
        raise DeployRefused(*_limit(error.problem)) from error
    author = Author(user_id, context.clock.now(), package.api_version)
    deploy(context.store, package, options, author, finish)


def _limit(problem: str) -> tuple[str, str]:
    if problem.endswith("are not read"):
        # https://github.com/forcedotcom/cli/issues/2910
        return "INVALID_OPERATION", "Too many files in zip"
    return "LIMIT_EXCEEDED", problem
