"""
The differences of a production org.

An org is a production org if its company has `production: true`; otherwise it deploys like a sandbox. In
production a deploy is all or nothing, cannot skip its tests, and flows are deployed inactive unless the org
has the setting "Deploy processes and flows as active".
"""

from __future__ import annotations

from dataclasses import replace

from sfcode.local.http.soap import SoapFault
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.raw import read_raw, read_text
from sfcode.local.store import OrgTransaction
from sfcode.local.tables.base import PRODUCTION
from sfcode.metadata.component import Component

CODE = frozenset({"ApexClass", "ApexTrigger"})
"""Types whose deployment runs tests in production by default."""
SETTING = "enableFlowDeployAsActiveEnabled"


def is_production(tx: OrgTransaction) -> bool:
    """Return whether this is a production org."""
    return tx.settings.get(PRODUCTION) == "true"


def check_options(tx: OrgTransaction, options: DeployRequestOptions) -> None:
    """Check the options that a production org refuses. Raises SoapFault."""
    if not is_production(tx):
        return
    if not options.rollbackOnError:
        # https://github.com/forcedotcom/cli/issues/2601
        raise SoapFault("INVALID_OPERATION", "rollbackOnError option must be true on a production org")
    if options.testLevel == "NoTestRun":
        # https://github.com/forcedotcom/cli/issues/2105
        raise SoapFault("INVALID_OPERATION", "testLevel of NoTestRun cannot be used in production organizations")


def with_default_tests(tx: OrgTransaction, options: DeployRequestOptions, types: set[str]) -> DeployRequestOptions:
    """Return the options with all tests selected, for a package with code and no test level in a production org."""
    if options.testLevel is None and not options.runTests and types & CODE and is_production(tx):
        return replace(options, testLevel="RunLocalTests")
    return options


def with_deployed_status(tx: OrgTransaction, component: Component) -> Component:
    """Return a flow with its status in the org: in production an active flow becomes a draft unless a setting allows it."""
    if component.body.get("status") != "Active" or not is_production(tx) or _deploys_active(tx):
        return component
    return Component(component.type, component.full_name, {**component.body, "status": "Draft"})


def requires_coverage(tx: OrgTransaction) -> bool:
    """Return whether tests must cover the flows that are deployed as active."""
    return is_production(tx) and _deploys_active(tx)


def _deploys_active(tx: OrgTransaction) -> bool:
    settings = tx.components.get("Settings", "Flow")
    return settings is not None and read_text(read_raw(settings), SETTING) == "true"
