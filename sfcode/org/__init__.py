"""
Client of a Salesforce org: sign-in, Metadata API, records, describe. Start with `connect`.

Importing this package is fast: requests, lxml and simple-salesforce are imported with the first request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sfcode.lean_imports import import_without
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
from sfcode.org.traits import OrgTraits, Seats

if TYPE_CHECKING:
    from sfcode.org.connection import Connection

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
    "OrgTraits",
    "Retrieved",
    "Runtime",
    "Seats",
    "TestFailure",
    "TestRun",
    "TestSuccess",
    "connect",
]


def connect(target: str, *, environ: Mapping[str, str], api_version: str, runtime: Runtime | None = None) -> Org:
    """
    Sign in to an org: an instance URL, `env:`, `env:PREFIX` or `alias:NAME`.

    With an access token in the environment no request is sent until the first call.

    Raises:
        SignInError: Sign-in is not configured or was refused; the hint explains what to do.
        UsageError: `target` has none of these forms.

    """
    runtime = runtime or Runtime()
    way = sign_in(target, environ, runtime)
    return Org(load_connection_class()(way, environ, api_version, runtime))


def load_connection_class() -> type[Connection]:
    """Return the class of connections, whose module needs requests."""
    # These take longer to import than the rest of a command, and are hardly ever used.
    unused = {"charset_normalizer": ("detect",), "idna": ("encode",), "importlib.metadata": ("version",)}
    with import_without("requests", unused):
        from sfcode.org.connection import Connection
    return Connection
