"""Validate a plan in the org, without deploying it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sfcode.apply.deploy import Progress, Record, deploy, ignore
from sfcode.apply.deploy_errors import failure
from sfcode.apply.execute import describe_package
from sfcode.apply.flows import deploys_drafts
from sfcode.apply.package import Mark, missing_users, package, package_digest, replace_missing_users
from sfcode.apply.redact import redact
from sfcode.apply.steps import Deploy, steps
from sfcode.mapping.desired import Origin
from sfcode.org import Org
from sfcode.org.results import DeployOptions
from sfcode.plan.plan import Plan, Validation


@dataclass(frozen=True)
class Checked:
    """What could not be validated, and the validation to deploy from if it ran tests."""

    notes: tuple[str, ...] = ()
    validation: Validation | None = None


def check(
    plan: Plan,
    org: Org,
    secrets: Mapping[str, str],
    *,
    origins: Iterable[Origin],
    mark: Mark,
    options: DeployOptions,
    report: Progress,
    record: Record = ignore,
) -> Checked:
    """
    Validate the first package of a plan.

    A second package only deletes what a flow still holds, so it cannot be checked before the flow is
    gone. Raises DeployFailed with the YAML lines when the org refuses.
    """
    ordered = steps(plan, drafts=deploys_drafts(org, options))
    packages = [step for step in ordered if isinstance(step, Deploy)]
    if not packages:
        return Checked()
    first, notes = _with_stand_in(plan, packages[0])
    if len(packages) > 1:
        notes += ("the deletions that follow the removal of a flow cannot be checked before it is gone",)
    zipped = package(plan, first, mark, secrets)
    result = redact(deploy(org, zipped, replace(options, check_only=True), describe_package(first), report), secrets)
    record(result)
    if not result.success:
        raise failure(result, origins)
    tests = result.tests_completed
    if tests and first == packages[0]:
        return Checked(notes, _validation(plan, first, mark, options, result.id))
    if tests:
        notes += ("not the package as it will be, so that apply runs the tests again",)
    elif options.test_level not in {None, "NoTestRun"}:
        notes += ("no Apex test ran, so that there is nothing for a quick deployment",)
    return Checked(notes)


def _validation(plan: Plan, step: Deploy, mark: Mark, options: DeployOptions, deploy_id: str) -> Validation:
    return Validation(
        id=deploy_id,
        package=package_digest(plan, step, mark),
        test_level=options.test_level,
        tests=tuple(options.run_tests),
        apply_id=mark.id,
        by=mark.by,
        at=mark.at,
        revision=mark.revision,
    )


def _with_stand_in(plan: Plan, step: Deploy) -> tuple[Deploy, tuple[str, ...]]:
    """Let the signed-in user stand in for an integration user that only an apply creates."""
    components = replace_missing_users(plan, step.components)
    if components == step.components:
        return step, ()
    names = ", ".join(sorted(missing_users(plan)))
    note = f"{names} does not exist yet, so {plan.target.username} stood in for it"
    return replace(step, components=components), (note,)
