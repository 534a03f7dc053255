"""
The limits of the platform: what an org would refuse half-way is refused before anything is begun, with the figure.

What is far from a limit is only estimated, so that the usual plan pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sfcode.mapping.limits import FLOW_VERSIONS, PACKAGE_FILES, PACKAGE_SIZE, STATIC_RESOURCE_SIZE
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import file_path, write, zip_files
from sfcode.metadata.types import TYPES
from sfcode.plan.change import Action
from sfcode.plan.next_state import Mark, state_after
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.snapshot import PlanInput
from sfcode.plan.state import HISTORY
from sfcode.plan.state_format import STATE_SIZE, measure_state

_MOST_PER_JSON = 4
"""A body as XML, or compressed and as base64, is not longer than this many times its JSON."""

_FURTHER_BYTES = 65_536
"""Bytes that an apply adds to the state and a plan does not know: the manual steps that it prints, the commit."""

_DIVIDE = (
    "divide the project into two, each with half of the mappings and with a `name` and an integration user of its own"
)


def refuse_beyond_platform(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse a plan whose package, state or flows an org would refuse, and warn of applies that it makes the state forget."""
    plan = plan.refuse(*_check_package(plan), *_check_flows(plan_input.snapshot.flow_counts, plan))
    return _check_state(plan_input, plan)


def _check_package(plan: Plan) -> Iterator[Refusal]:
    components = [change.after for change in plan.effective if change.after and not change.address.is_record]
    if 2 * len(components) >= PACKAGE_FILES and (count := _count_files(components)) > PACKAGE_FILES:
        yield Refusal(None, f"this plan's package has {count:,} files, and Salesforce takes {PACKAGE_FILES:,}", _DIVIDE)
    if _MOST_PER_JSON * _length(components) < PACKAGE_SIZE:
        return
    size = len(zip_files(write(components, plan.api_version)))
    if size > PACKAGE_SIZE:
        yield Refusal(
            None,
            f"this plan's package has {_megabytes(size)}, and Salesforce takes {_megabytes(PACKAGE_SIZE)}",
            _DIVIDE,
        )


def _count_files(components: list[Component]) -> int:
    """Count the files of a package, with its package.xml, its deletions and the two of the state."""
    paths = {file_path(component.address) for component in components}
    return len(paths) + sum(TYPES[component.type].has_content for component in components) + 4


def _check_flows(counts: Mapping[Address, int], plan: Plan) -> Iterator[Refusal]:
    """Find flows that have no room for another version: a deployment makes one, and old ones are deleted after it."""
    for change in plan.effective:
        if change.action is Action.UPDATE and counts.get(change.address, 0) >= FLOW_VERSIONS:
            reason = f"has {counts[change.address]} versions, and Salesforce keeps {FLOW_VERSIONS}"
            yield Refusal(change.address, reason, "delete old versions of it in Setup > Flows")


def _check_state(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse what leaves too large a state, and warn of applies that there is no room for in it any more."""
    changed = [change for change in plan.effective if not change.address.is_record]
    deleted = tuple(change.before for change in changed if change.action is Action.DELETE and change.before)
    owned = (*plan.desired(), *deleted)  # the first of two packages leaves both
    replaced = [change.before for change in plan.effective if change.before]
    if plan.is_empty or _MOST_PER_JSON * _length([*owned, *replaced]) + _stored_bytes(plan_input) < STATE_SIZE:
        return plan
    mark = Mark(by=plan.target.username, at="", revision="0" * 40, applied=plan_input.snapshot.applied)
    state = state_after(plan, owned, mark)
    size, kept_count = measure_state(state)
    size += _FURTHER_BYTES
    if size > STATIC_RESOURCE_SIZE:
        reason = f"leaves a state of {_megabytes(size)}, and a static resource has at most {_megabytes(STATIC_RESOURCE_SIZE)}"
        return plan.refuse(Refusal(None, f"this plan {reason}", _DIVIDE))
    forgotten = [
        f"{past.id} of {past.applied_at}" if past.id else "this apply" for past in state.history[kept_count:HISTORY]
    ]
    if not forgotten:
        return plan
    return plan.warn(
        f"the state in the org keeps what {kept_count} of the last {len(state.history[:HISTORY])} applies replaced, since it is to "
        f"stay below {_megabytes(STATE_SIZE)}; no rollback is possible of {' and '.join(forgotten)}"
    )


def _length(components: Iterable[Component]) -> int:
    return sum(len(component.canonical) for component in components)


def _stored_bytes(plan_input: PlanInput) -> int:
    """Return how long the state in the org is, in base64."""
    state = plan_input.snapshot.state
    return len(str(state.body.get("content", ""))) if state else 0


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
