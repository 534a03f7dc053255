"""Validate a plan in the org, without deploying it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sfcode.apply.deploy import Progress, Record, deploy, ignore
from sfcode.apply.deploy_errors import failure
from sfcode.apply.execute import describe_package
from sfcode.apply.flows import deploys_drafts
from sfcode.apply.package import missing_users, package, package_digest, replace_missing_users
from sfcode.apply.redact import redact
from sfcode.apply.steps import Deploy, Trial, steps
from sfcode.apply.trial import run_trial
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.mapping.desired import Origin
from sfcode.org import Org
from sfcode.org.results import DeployOptions, DeployResult
from sfcode.plan.change import Action
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan, Validation
from sfcode.text import count_noun


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: the parts that could not be validated, and the validation for a quick deployment if it ran tests."""

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
) -> CheckResult:
    """
    Validate everything that a plan deploys.

    A plan of several packages is validated as one package, like the trial of an apply. Raises DeployFailed with the
    YAML lines when the org refuses.
    """
    ordered = steps(plan, drafts=deploys_drafts(org, options))
    packages = [step for step in ordered if isinstance(step, Deploy)]
    trial = next((step for step in ordered if isinstance(step, Trial)), None)
    if not packages:
        return CheckResult()
    notes = (*_list_stand_ins(plan), *_list_unchecked(plan, trial))
    tested = options.test_level not in {None, "NoTestRun"}
    results = []
    first, is_first_checked = packages[0], trial is None or (tested and _stands_alone(plan, packages[0]))
    if trial is not None:
        untested = replace(options, test_level=None, run_tests=()) if is_first_checked else options
        tried = run_trial(plan, trial, org, secrets, options=untested, report=report)
        results.append(_raise_if_refused(tried, origins, record))
    if is_first_checked:
        package_step = replace(first, components=replace_missing_users(plan, first.components))
        zipped = package(plan, package_step, mark, secrets)
        checked = deploy(org, zipped, replace(options, check_only=True), describe_package(first), report)
        results.append(_raise_if_refused(redact(checked, secrets), origins, record))
        if results[-1].tests_completed and package_step == first:
            return CheckResult(notes, _validation(plan, first, mark, options, results[-1].id))
    if any(result.tests_completed for result in results):
        notes += ("not the final package, so that apply runs the tests again",)
    elif tested:
        notes += ("no Apex test ran, so that no quick deployment is possible",)
    return CheckResult(notes)


def _raise_if_refused(result: DeployResult, origins: Iterable[Origin], record: Record) -> DeployResult:
    record(result)
    if not result.success:
        raise failure(result, origins)
    return result


def _stands_alone(plan: Plan, first: Deploy) -> bool:
    """Return whether the first package can be deployed before any other step."""
    return bool(first.components) and not first.deleted and not any(move.in_place for move in plan.moves)


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


def _list_stand_ins(plan: Plan) -> Iterator[str]:
    """Return the integration users that the apply will create; in the validation the signed-in user replaces them."""
    components = tuple(change.after for change in plan.effective if change.after and not change.address.is_record)
    if replace_missing_users(plan, components) != components:
        names = ", ".join(sorted(missing_users(plan)))
        yield f"{names} does not exist yet, so {plan.target.username} was used instead"


def _list_unchecked(plan: Plan, trial: Trial | None) -> Iterator[str]:
    """Return the parts that a package cannot validate: the deletion of assigned permission sets, renames, and records."""
    deleted = [change.address for change in plan.effective if change.action is Action.DELETE]
    if trial is not None:
        checked = {*trial.deleted, *trial.flows}
        waiting = sorted(address for address in deleted if not address.is_record and address not in checked)
        if waiting:
            yield f"not the deletion of {', '.join(map(str, waiting))}, which are still assigned to users"
    if renamed := [str(move.present) for move in plan.moves if move.in_place]:
        yield f"not that {', '.join(renamed)} can be renamed, which is tried first and undone when one is refused"
    if records := sum(change.address.is_record for change in plan.effective):
        yield f"not {count_noun(records, 'user or assignment', 'users and assignments')}, which no deployment contains"
