"""
What an Appcues event does to a matched record, one action per file.

A further action is a class with the methods of `Action` and a line in `ACTIONS`: lookups, batching, retries and
settlements know actions only by this interface.
"""

from __future__ import annotations

from collections.abc import Callable

from sfcode.config.project import Project
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.salesforce.actions.action import EventAction
from sfcode.relay.salesforce.actions.activities import log_activities
from sfcode.relay.salesforce.actions.nps_fields import update_nps_fields
from sfcode.relay.salesforce.actions.nps_responses import keep_nps_responses

ACTIONS: tuple[Callable[[Project, ResolvedMapping], EventAction | None], ...] = (
    update_nps_fields,
    keep_nps_responses,
    log_activities,
)
"""Each returns the action that a mapping asks for, or None. Their writes are sent in this order."""


def actions_of(project: Project, mapping: ResolvedMapping) -> tuple[EventAction, ...]:
    """Return the actions that a mapping asks for."""
    return tuple(action for build in ACTIONS if (action := build(project, mapping)) is not None)
