"""
Appcues to Salesforce: events set fields of records and create activities.

Leads, contacts and accounts are never created: events of unknown users are parked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sfcode.relay.clock import boot_time

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org
    from sfcode.relay.api_calls import ApiBudget
    from sfcode.relay.current_pauses import CurrentPauses
    from sfcode.relay.instrumentation import CallEvents
    from sfcode.relay.message import StateStore, Writer
    from sfcode.relay.salesforce.quota import QuotaBounds

__all__ = ["make_writer"]


def make_writer(
    project: Project,
    org: Org,
    states: StateStore,
    instrumentation: CallEvents,
    clock: Callable[[], float] = boot_time,
    *,
    bounds: QuotaBounds | None = None,
    budget: ApiBudget | None = None,
    pauses: CurrentPauses | None = None,
) -> Writer:
    """
    Make the writer of Appcues' events; templates are compiled here, once.

    `states` stores what was delivered. `clock` is the clock of the claims' deadlines, and must be the org's (`Runtime.clock`).
    """
    from sfcode.relay.current_pauses import CurrentPauses
    from sfcode.relay.salesforce.batch import EventRules
    from sfcode.relay.salesforce.calls import Calls, write_headers
    from sfcode.relay.salesforce.destinations import destinations
    from sfcode.relay.salesforce.quota import Quota, QuotaBounds
    from sfcode.relay.salesforce.writer import SalesforceWriter

    rules = EventRules(destinations(project), project.events, redact=project.settings.relay.redact_feedback)
    calls = Calls(
        org, instrumentation, clock, Quota(bounds or QuotaBounds()), headers=write_headers(project.settings.relay)
    )
    return SalesforceWriter(rules, calls, states, budget, pauses or CurrentPauses())
