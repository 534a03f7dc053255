"""
The actions of an Appcues event on a matched record, one per file.

A new action is a subclass of `EventAction` and a line in `ACTIONS`: lookups, batching, retries and
settlements use only this interface.
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
from sfcode.relay.state_names import RecordStateKind, read_kind

ActionBuilder = Callable[[Project, ResolvedMapping], EventAction | None]
"""Returns the action that a mapping configures, or None."""

ACTIONS: tuple[ActionBuilder, ...] = (update_nps_fields, keep_nps_responses, log_activities)
"""The actions that mappings configure. Their writes are sent in this order."""

RECIPE_ACTIONS: Mapping[str, tuple[ActionBuilder, ...]] = {"event_registration": (register_campaign_members,)}
"""The actions of recipes. They are separate from those of the mapping, since an org may refuse one and accept the other."""


REWRITES: Mapping[RecordStateKind, Callable[[LatestState], list[RecordWrite]]] = {
    "member": campaign_members.plan_rewrites,
    "field": nps_fields.plan_rewrites,
    "answers": nps_responses.plan_rewrites,
}
"""Functions that plan the writes which set a state again, by the kind of the state."""


def plan_rewrites(state: LatestState | None) -> list[RecordWrite]:
    """Return the writes that set a state to its newest delivered values again; none if these are not known."""
    plan = next((plan for kind, plan in REWRITES.items() if state and kind == read_kind(state.name)), None)
    return plan(state) if plan and state else []


def build_actions(
    builders: Iterable[ActionBuilder], project: Project, mapping: ResolvedMapping
) -> tuple[EventAction, ...]:
    """Return the actions that a mapping configures."""
    return tuple(action for build in builders if (action := build(project, mapping)) is not None)
