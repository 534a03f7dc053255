"""`sfcode plan`: what apply would change in the org."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.options import ApexTestOptions, PlanOptions, apex_test_options, plan_options
from sfcode.cli.output import print_status
from sfcode.cli.plan_output import add_provenance, show_plan
from sfcode.cli.report_file import JUnitReport, SarifReport, junit_option, sarif_option, write_junit, write_sarif
from sfcode.errors import DeployFailed, ExitCode, UsageError
from sfcode.plan.reports import FORMATS

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.diagnostics import Diagnostic
    from sfcode.org import DeployOptions, Org
    from sfcode.plan.plan import Plan
    from sfcode.plan.planner import PlanResult


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `sfcode apply FILE`.")
@click.option(
    "--format", "format_", type=click.Choice([*FORMATS]), default="text", show_default=True, help="Output format."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes (or drift).")
@click.option("--check", is_flag=True, help="Have the org validate the package too, without deploying it.")
@click.option("--destroy", "destroying", is_flag=True, help="Plan to remove the integration.")
@click.option("--refresh-only", is_flag=True, help="Show only what was changed in the org since the last apply.")
@apex_test_options
@junit_option
@sarif_option
@plan_options
@click.pass_obj
def plan(
    invocation: Invocation,
    out: Path | None,
    format_: str,
    *,
    detailed_exitcode: bool,
    check: bool,
    destroying: bool,
    refresh_only: bool,
    junit_file: Path | None,
    sarif_file: Path | None,
    apex_tests: ApexTestOptions,
    choices: PlanOptions,
) -> int:
    """Compare the config with the org and show what apply would change. Changes nothing."""
    from sfcode.plan.modes import Mode
    from sfcode.plan.planner import make_plan

    if refresh_only and (out or check or destroying or choices != PlanOptions()):
        raise UsageError("--refresh-only shows drift and makes no plan.", "Remove the options of a plan.")
    if destroying and replace(choices, allow_delete=()) != PlanOptions():
        raise UsageError(
            "--destroy removes the whole integration.", "Remove --adopt, --target, --max-destroy and --max-change."
        )
    options = apex_tests.make_deploy_options()
    if (apex_tests.test_level or junit_file) and not check:
        option, verb = ("--junit", "reports") if junit_file else ("--test-level", "runs")
        raise UsageError(
            f"{option} {verb} Apex tests, which a plan without --check does not run.",
            "Pass --check too, or pass it to `sfcode apply`.",
        )
    key = invocation.plan_key()
    mode = Mode.REFRESH if refresh_only else Mode.DESTROY if destroying else Mode.APPLY
    with write_sarif(sarif_file) as sarif:
        project = invocation.project()
        secrets = invocation.secrets(project)
        with write_junit(junit_file) as junit, invocation.open_org(project) as org:
            with invocation.show_progress("Reading the org"):
                result = make_plan(project, org, secrets, choices.make_request(mode))
            current_plan = result.plan
            if sarif_file and not refresh_only:
                sarif.diagnostics += _diagnose(invocation, project, result)
            if check and not current_plan.refusals:
                with _report_failures(invocation, sarif, junit):
                    current_plan = _check_with_org(
                        invocation, project, result, org, secrets=secrets, options=options, junit=junit
                    )
    if out or invocation.json or format_ in ("json", "html"):
        current_plan = add_provenance(current_plan, result.desired, invocation.config)
    if out is not None and not current_plan.refusals:
        from sfcode.plan.document import save

        save(current_plan, out, key)
    code = ExitCode.CHANGES if detailed_exitcode and not current_plan.is_empty else ExitCode.OK
    code = ExitCode.USER if current_plan.refusals else code
    show_plan(invocation, current_plan, format_, status=code, saved=out)
    return code


def _diagnose(invocation: Invocation, project: Project, result: PlanResult) -> list[Diagnostic]:
    from sfcode.checks.lint import lint_config
    from sfcode.checks.plan_diagnostics import diagnose_plan
    from sfcode.generate import generate
    from sfcode.plan.modes import Mode

    of_yaml = (
        () if result.plan.mode is Mode.DESTROY else lint_config(project, result.desired, invocation.config, generate)
    )
    return [*of_yaml, *diagnose_plan(result.plan, result.desired, invocation.config)]


@contextmanager
def _report_failures(invocation: Invocation, sarif: SarifReport, junit: JUnitReport) -> Iterator[None]:
    """Add the org's errors about a refused package to the SARIF log."""
    try:
        yield
    except DeployFailed:
        from sfcode.apply.deploy_errors import problem_of
        from sfcode.checks.plan_diagnostics import diagnose_failures

        messages = [message for result in junit.results for message in result.failures]
        problems = [problem_of(message, list(junit.origins)) for message in messages]
        sarif.diagnostics += diagnose_failures(problems, invocation.config)
        raise


def _check_with_org(
    invocation: Invocation,
    project: Project,
    result: PlanResult,
    org: Org,
    *,
    secrets: dict[str, str],
    options: DeployOptions,
    junit: JUnitReport,
) -> Plan:
    """Validate the plan's package in the org; unchecked parts become warnings of the plan."""
    from sfcode.apply.check import check
    from sfcode.apply.session import make_mark

    junit.origins = result.desired.origins
    checked = check(
        result.plan,
        org,
        secrets,
        origins=result.desired.origins,
        mark=make_mark(project, result),
        options=options,
        report=lambda line: print_status(invocation, line, aside=True),
        record=junit.results.append,
    )
    notes = (f"checked by the org, but {note}" for note in checked.notes)
    return replace(result.plan, warnings=(*result.plan.warnings, *notes), validation=checked.validation)
