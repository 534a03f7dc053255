"""
The client of an org: sign-in, Metadata API, records, describe.

`connect` is the way in. Importing this package costs next to nothing: requests, lxml and
simple-salesforce are imported when an org is really spoken to.
"""

from __future__ import annotations

from collections.abc import Mapping

from sfcode.org.client import Org
from sfcode.org.identity import OrgIdentity
from sfcode.org.options import Runtime
from sfcode.org.polling import DeployStillRunning
from sfcode.org.results import (
    DeployMessage,
    DeployOptions,
    DeployResult,
    FileProperties,
    FlowCoverage,
    MetadataDescription,
    Retrieved,
    TestFailure,
    TestRun,
    TestSuccess,
)
from sfcode.org.signin import sign_in

__all__ = [
    "DeployMessage",
    "DeployOptions",
    "DeployResult",
    "DeployStillRunning",
    "FileProperties",
    "FlowCoverage",
    "MetadataDescription",
    "Org",
    "OrgIdentity",
    "Retrieved",
    "Runtime",
    "TestFailure",
    "TestRun",
    "TestSuccess",
    "connect",
]


def connect(target: str, *, environ: Mapping[str, str], api_version: str, runtime: Runtime | None = None) -> Org:
    """
    Sign in to an org: an instance URL, `env:`, `env:PREFIX` or `alias:NAME`.

    Raise SignInError with the hint when that is not possible. The org itself is asked nothing
    yet: with a token at hand, the first request is the first call.
    """
    runtime = runtime or Runtime()
    way = sign_in(target, environ, runtime)
    from sfcode.org.connection import Connection  # requests is slow to import

    return Org(Connection(way, environ, api_version, runtime))
