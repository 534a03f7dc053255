"""Quick deployment: deploy a package that was validated with tests, without running them again."""

from __future__ import annotations

from sfcode.apply.package import package_digest
from sfcode.apply.steps import Deploy
from sfcode.errors import OrgError, OrgUnreachable
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.org import Org
from sfcode.org.results import DeployOptions
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan, Validation


@dataclass(frozen=True)
class QuickDeploy:
    """A quick deployment that has started, or the reason why none was possible."""

    deploy_id: str = ""
    mark: Mark | None = None
    """The author, time and commit that the state will record."""
    why_not: str = ""


def mark_of_check(validation: Validation, mark: Mark) -> Mark:
    """Return the mark of this apply with the author, time, commit and ID that the validated package contains."""
    by, at, revision = validation.by, validation.at, validation.revision
    return replace(mark, by=by, at=at, revision=revision, id=validation.apply_id)


def inherit_tests(validation: Validation | None, options: DeployOptions) -> DeployOptions:
    """Return the options, with the test level of the validation if the user passed none."""
    if validation is None or options.test_level is not None:
        return options
    return replace(options, test_level=validation.test_level, run_tests=validation.tests)


def quick_deploy(plan: Plan, step: Deploy, org: Org, mark: Mark, options: DeployOptions) -> QuickDeploy:
    """Start a quick deployment of the validated package; the org decides whether it is still possible."""
    validation = plan.validation
    if validation is None:
        return QuickDeploy()
    if options.test_level is not None and (options.test_level, tuple(options.run_tests)) != (
        validation.test_level,
        validation.tests,
    ):
        return QuickDeploy(why_not="the requested tests differ from those that the check ran")
    checked = mark_of_check(validation, mark)
    if package_digest(plan, step, checked) != validation.package:
        return QuickDeploy(why_not="the package differs from the one that the org checked")
    try:
        return QuickDeploy(org.metadata.quick_deploy(validation.id), checked)
    except OrgUnreachable:
        raise  # the deployment may have started
    except OrgError as error:
        return QuickDeploy(why_not=error.message)
