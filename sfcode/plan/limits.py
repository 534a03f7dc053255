"""
Check a plan against the limits of the platform and of the config, before its first step.

Sizes far below a limit are only estimated, so that a typical plan costs no time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sfcode.config.project import Project
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
from sfcode.text import count_noun

_MOST_PER_JSON = 4
"""The upper bound of a body's size as XML, or compressed in base64, as a multiple of its JSON."""

_FURTHER_BYTES = 65_536
"""The number of bytes that an apply may add to the state beyond the plan: digests of manual steps, the commit."""

CALCULATED_KINDS = frozenset({"Formula", "Summary"})
"""Kinds of fields that neither a deployment nor Setup converts to or from another kind."""

FIXED_KINDS = CALCULATED_KINDS | {"MasterDetail"}
"""Kinds of fields that a deployment does not convert to or from another kind."""

_DIVIDE = "divide the project into two, each with half of the mappings, its own `name` and its own integration user"


WORDS = {Action.DELETE: "destroy", Action.UPDATE: "change"}
"""The words of an action in the keys and options of the config's limits."""


def refuse_beyond_platform(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse a plan whose package, state, flows or fields an org would refuse, and warn of applies that the history has no room for."""
    unconvertible = [*_check_kinds(plan_input, plan)]
    fields = {refusal.address for refusal in unconvertible}
    # Another refusal of such a field would advise to adopt it, or to allow its change, which the org refuses.
    plan = replace(plan, refusals=tuple(refusal for refusal in plan.refusals if refusal.address not in fields))
    plan = plan.refuse(*_check_package(plan), *_check_flows(plan_input.snapshot.flow_counts, plan), *unconvertible)
    return _check_state(plan_input, plan)


def _check_package(plan: Plan) -> Iterator[Refusal]:
    components = [change.after for change in plan.effective if change.after and not change.address.is_record]
    if 2 * len(components) >= PACKAGE_FILES and (count := _count_files(components)) > PACKAGE_FILES:
        yield Refusal(
            None, f"this plan's package has {count:,} files, and Salesforce allows {PACKAGE_FILES:,}", _DIVIDE
        )
    if _MOST_PER_JSON * _length(components) < PACKAGE_SIZE:
        return
    size = len(zip_files(write(components, plan.api_version)))
    if size > PACKAGE_SIZE:
        yield Refusal(
            None,
            f"this plan's package has {_megabytes(size)}, and Salesforce allows {_megabytes(PACKAGE_SIZE)}",
            _DIVIDE,
        )


def _count_files(components: list[Component]) -> int:
    """Count the files of a package, including package.xml, the deletions and the two files of the state."""
    paths = {file_path(component.address) for component in components}
    return len(paths) + sum(TYPES[component.type].has_content for component in components) + 4


def _check_flows(counts: Mapping[Address, int], plan: Plan) -> Iterator[Refusal]:
    """Find flows without room for another version, which a deployment creates before old ones are deleted."""
    for change in plan.effective:
        if change.action is Action.UPDATE and counts.get(change.address, 0) >= FLOW_VERSIONS:
            reason = f"has {counts[change.address]} versions, and Salesforce keeps {FLOW_VERSIONS}"
            yield Refusal(change.address, reason, "delete old versions of it in Setup > Flows")


def _check_kinds(plan_input: PlanInput, plan: Plan) -> Iterator[Refusal]:
    """Find fields whose change of kind no deployment can do."""
    for change in plan.effective:
        if change.address.type != "CustomField" or change.before is None or change.after is None:
            continue
        before, after = _kind(change.before), _kind(change.after)
        if before == after or not FIXED_KINDS.intersection((before, after)):
            continue
        remedy = (
            "remove it from the config, apply, and add it again, which deletes its values"
            if change.address in plan_input.applied
            else "choose another name in the config"
        )
        convert = "" if CALCULATED_KINDS.intersection((before, after)) else "convert it in Setup, then plan again; or "
        yield Refusal(
            change.address,
            f"is a field of the kind {before} in the org, which a deployment cannot convert to {after}",
            f"{convert}{remedy}",
        )


def _kind(field: Component) -> str:
    """Return the type of a field; "Formula" for a formula field of any type."""
    return "Formula" if field.body.get("formula") else str(field.body.get("type"))


def _check_state(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse a plan that results in a too large state, and warn of applies that the history has no room for."""
    changed = [change for change in plan.effective if not change.address.is_record]
    deleted = tuple(change.before for change in changed if change.action is Action.DELETE and change.before)
    owned = (
        *plan.list_desired(),
        *deleted,
    )  # between the two packages of a plan, the state also lists the components that the second one deletes
    replaced = [change.before for change in plan.effective if change.before]
    if plan.is_empty or _MOST_PER_JSON * _length([*owned, *replaced]) + _stored_bytes(plan_input) < STATE_SIZE:
        return plan
    mark = Mark(by=plan.target.username, at="", revision="0" * 40, applied=plan_input.snapshot.applied)
    state = state_after(plan, owned, mark)
    size, kept_count = measure_state(state)
    size += _FURTHER_BYTES
    if size > STATIC_RESOURCE_SIZE:
        reason = f"would result in a state of {_megabytes(size)}, and a static resource has at most {_megabytes(STATIC_RESOURCE_SIZE)}"
        return plan.refuse(Refusal(None, f"this plan {reason}", _DIVIDE))
    lost_applies = [
        f"{past.id} of {past.applied_at}" if past.id else "this apply" for past in state.history[kept_count:HISTORY]
    ]
    if not lost_applies:
        return plan
    return plan.warn(
        f"the state in the org keeps what {kept_count} of the last {len(state.history[:HISTORY])} applies replaced, since its size "
        f"is limited to {_megabytes(STATE_SIZE)}; no rollback is possible of {' and '.join(lost_applies)}"
    )


def _length(components: Iterable[Component]) -> int:
    return sum(len(component.canonical) for component in components)


def _stored_bytes(plan_input: PlanInput) -> int:
    """Return the size of the state in base64."""
    state = plan_input.snapshot.state
    return len(str(state.body.get("content", ""))) if state else 0


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def refuse_too_many(plan_input: PlanInput, plan: Plan) -> Plan:
    """Refuse a plan that destroys or changes more managed components than the limit."""
    managed, limits = len(plan_input.snapshot.applied.components), plan_input.request.limits
    return plan.refuse(
        *_beyond(plan, Action.DELETE, plan_input.project, managed, limits.max_destroy),
        *_beyond(plan, Action.UPDATE, plan_input.project, managed, limits.max_change),
    )


def _beyond(plan: Plan, action: Action, project: Project, managed: int, allowed: str | None) -> Iterator[Refusal]:
    word = WORDS[action]
    limit, setting = limit_of(project, word)
    limit = allowed or limit
    count = sum(change.action is action and not change.address.is_record for change in plan.changes)
    if limit is None or count <= _figure(limit, managed):
        return
    setting = f"--max-{word}" if allowed else f"{setting} in sfcode.yaml"
    figure = f"{limit}, which is {_figure(limit, managed)}" if limit.endswith("%") else limit
    yield Refusal(
        None,
        f"this plan would {word} {count_noun(count, 'component')} where sfcode manages {managed}, and {setting} "
        f"allows {figure}",
        f"if this is intended, pass --max-{word} {count}",
    )


def limit_of(project: Project, word: str) -> tuple[str | None, str]:
    """Return the config's limit of `destroy` or `change`, and its place."""
    key = f"max_{word}"
    own: str | None = getattr(project.target.safety, key)
    general: str | None = getattr(project.settings.safety, key)
    return (general, f"safety.{key}") if own is None else (own, f"environments.{project.environment}.safety.{key}")


def _figure(limit: str, managed: int) -> int:
    return managed * int(limit[:-1]) // 100 if limit.endswith("%") else int(limit)
