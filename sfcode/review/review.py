"""Compare two sides and return a review. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sfcode.checks.lint import lint
from sfcode.checks.phrases import code
from sfcode.checks.snapshot import Snapshot
from sfcode.diagnostics import Diagnostic
from sfcode.metadata.component import Address, Component
from sfcode.plan.moves import apply_moves, find_moves
from sfcode.plan.plan import Plan
from sfcode.plan.rules import build_plan
from sfcode.plan.snapshot import OrgSnapshot, PlanInput, Target
from sfcode.plan.state import Applied
from sfcode.review.access import access
from sfcode.review.model import Effect, Group, ReviewReport, Revision, Risk, Statement
from sfcode.review.statements import Context, statements


def review(
    base: Mapping[str, Snapshot],
    head: Mapping[str, Snapshot],
    *,
    revisions: tuple[Revision, Revision] = (Revision("base"), Revision("head")),
    environments: tuple[str, ...] | None = None,
    base_environments: Sequence[str] = (),
    problems: tuple[Diagnostic, ...] = (),
    base_problems: tuple[Diagnostic, ...] = (),
    notes: tuple[str, ...] = (),
    folder: str = "",
) -> ReviewReport:
    """
    Describe the changes of head, environment by environment.

    `base` contains the snapshots to compare with, by the names of head's environments: none if the
    base does not have the environment or does not load. `base_environments` has the names of all environments of the base.
    """
    contexts = {name: _context(base.get(name), side) for name, side in head.items()}
    by_environment = {
        name: statements(context) for name, context in contexts.items() if not _only_new(name, base, head)
    }
    all_statements = [
        *_merge(by_environment),
        *_environments(base, head, base_environments, environments or tuple(head)),
    ]
    findings, older = _lint(base.values(), head.values())
    return ReviewReport(
        base=revisions[0],
        head=revisions[1],
        environments=tuple(head),
        statements=tuple(all_statements),
        effects=_effects({name: contexts[name] for name in by_environment}, by_environment),
        findings=findings,
        older=older,
        notes=notes,
        problems=problems,
        base_problems=base_problems,
        folder=folder,
        touched=tuple(
            name
            for name in by_environment
            if head[name].project.target.protected and (by_environment[name] or contexts[name].changes)
        ),
    )


def plan_sides(before: Snapshot | None, after: Snapshot) -> Plan:
    """
    Plan the change from one side to the other, by the rules of `sfcode plan`.

    The org is assumed to match the base.
    """
    # The body of a component that is adopted unchanged is only in the org, which a review does not read.
    unknown = after.project.adopted | (before.project.adopted if before else frozenset())
    base_components = _components(before, unknown)
    applied = Applied(
        {address: component.body for address, component in base_components.items() if not address.is_record},
        project=before.project.settings.name if before else None,
        records={address: component.body for address, component in base_components.items() if address.is_record},
    )
    org = OrgSnapshot(Target("", "", "", ""), base_components, applied)
    head_components = _components(after, unknown)
    desired = replace(
        after.desired,
        components=tuple(component for component in after.desired.components if component.address not in unknown),
    )
    org = apply_moves(org, find_moves(after.project, head_components, org))
    return build_plan(PlanInput(project=after.project, desired=desired, snapshot=org, generated=desired))


def _components(side: Snapshot | None, unknown: Collection[Address]) -> dict[Address, Component]:
    desired = side.desired.by_address if side else {}
    return {address: component for address, component in desired.items() if address not in unknown}


def _context(before: Snapshot | None, after: Snapshot) -> Context:
    return Context(before, after, plan_sides(before, after), access(before, after))


def _only_new(name: str, base: Mapping[str, Snapshot], head: Mapping[str, Snapshot]) -> bool:
    """Return whether an environment is new and others are not, so that the review of the others shows the changes."""
    return name not in base and any(environment in base for environment in head)


def _merge(by_environment: Mapping[str, Sequence[Statement]]) -> list[Statement]:
    """Merge equal statements of several environments, and list the environments unless they are all."""
    environments: dict[tuple[Group, str, Risk], list[str]] = {}
    first: dict[tuple[Group, str, Risk], Statement] = {}
    # In the order of each environment, so that statements that differ by environment are adjacent.
    places = [(index, name) for name, statements in by_environment.items() for index in range(len(statements))]
    for index, name in sorted(places, key=lambda place: place[0]):
        statement = by_environment[name][index]
        key = (statement.group, statement.text, statement.risk)
        first.setdefault(key, statement)
        environments.setdefault(key, []).append(name)
    return [
        statement
        if len(environments[key]) == len(by_environment)
        else replace(statement, environments=tuple(environments[key]))
        for key, statement in first.items()
    ]


def _effects(contexts: Mapping[str, Context], by_environment: Mapping[str, Sequence[Statement]]) -> tuple[Effect, ...]:
    """Group environments with the same changes, ignoring values of variables."""
    alike: dict[object, list[str]] = {}
    for name, context in contexts.items():
        shape = tuple(
            (change.address, change.action, *(attribute.path for attribute in change.attributes))
            if not change.address.is_record
            else (change.address.type, change.action)
            for change in context.changes
        )
        rows = tuple((row.kind, row.name, row.before, row.after) for row in context.access)
        alike.setdefault((shape, rows), []).append(name)
    return tuple(
        Effect(
            environments=tuple(names),
            plan=contexts[names[0]].plan,
            access=contexts[names[0]].access,
            protected=any(contexts[name].after.project.target.protected for name in names),
        )
        for names in alike.values()
        if contexts[names[0]].changes or any(by_environment[name] for name in names)
    )


def _environments(
    base: Mapping[str, Snapshot], head: Mapping[str, Snapshot], base_environments: Sequence[str], defined: Sequence[str]
) -> Iterable[Statement]:
    """Describe added and removed environments."""
    if not base_environments or list(base_environments) == [""]:
        return
    for name, side in head.items():
        if name and name not in base_environments and base:
            text = f"Environment {code(name)} is new"
            org = side.project.target.org
            text += f": the org {code(org)}" if org else ""
            position = side.project.at("environments", name)
            yield Statement(Group.SETUP, text, Risk.MEDIUM, "another org can be deployed to", position)
    for name in base_environments:
        if name not in defined:
            text = f"Environment {code(name)} was removed: its components stay in the org and are no longer managed"
            yield Statement(Group.SETUP, text, Risk.MEDIUM, "an org is left as it is")


def _lint(base: Iterable[Snapshot], head: Iterable[Snapshot]) -> tuple[tuple[Diagnostic, ...], frozenset[Diagnostic]]:
    """Check the head with every rule; return the diagnostics, and those that the base has too."""
    base_keys = {finding.key for snapshot in base for finding in lint(snapshot)}
    by_key = {finding.key: finding for snapshot in head for finding in lint(snapshot)}
    findings = sorted(by_key.values(), key=lambda finding: (-finding.level, finding.sort_key, finding.rule))
    return tuple(findings), frozenset(finding for key, finding in by_key.items() if key in base_keys)
