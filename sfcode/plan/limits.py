"""Limits on the numbers of changes: settings of the config, which options override."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.project import Project
from sfcode.plan.change import Action
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.snapshot import PlanInput
from sfcode.text import count_noun

WORDS = {Action.DELETE: "destroy", Action.UPDATE: "change"}


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
