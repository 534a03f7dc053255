"""
What an Appcues event does to a matched record, one action per file.

A further action is a class with the methods of `Action` and a line in `ACTIONS`: lookups, batching, retries and
settlements know actions only by this interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sfcode.config.project import Project
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.actions import campaign_members, nps_fields, nps_responses
from sfcode.relay.salesforce.actions.action import EventAction, RecordWrite
from sfcode.relay.salesforce.actions.activities import log_activities
from sfcode.relay.salesforce.actions.campaign_members import register_campaign_members
from sfcode.relay.salesforce.actions.nps_fields import update_nps_fields
from sfcode.relay.salesforce.actions.nps_responses import keep_nps_responses

ActionBuilder = Callable[[Project, ResolvedMapping], EventAction | None]
"""Returns the action that a mapping asks for, or None."""

ACTIONS: tuple[ActionBuilder, ...] = (update_nps_fields, keep_nps_responses, log_activities)
"""What a mapping asks for. Their writes are sent in this order."""

RECIPE_ACTIONS: Mapping[str, tuple[ActionBuilder, ...]] = {"event_registration": (register_campaign_members,)}
"""What a recipe asks for of the people of a mapping, apart from what the mapping does: if an org refuses the one, it may take the other."""


REWRITES: Mapping[str, Callable[[LatestState], list[RecordWrite]]] = {
    campaign_members.PREFIX: campaign_members.plan_rewrites,
    nps_fields.PREFIX: nps_fields.plan_rewrites,
    nps_responses.PREFIX: nps_responses.plan_rewrites,
}
"""By the beginning of a state's name, what plans the writes that set it once more."""


def plan_rewrites(state: LatestState | None) -> list[RecordWrite]:
    """Return the writes that set a state to its newest delivered values once more; none where these are not known."""
    plan = next((plan for start, plan in REWRITES.items() if state and state.name.startswith(start)), None)
    return plan(state) if plan and state else []


def build_actions(
    builders: Iterable[ActionBuilder], project: Project, mapping: ResolvedMapping
) -> tuple[EventAction, ...]:
    """Return the actions that a mapping asks for."""
    return tuple(action for build in builders if (action := build(project, mapping)) is not None)
