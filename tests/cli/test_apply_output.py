"""The output of `plan`, `apply`, `destroy` and `rollback`, as complete texts, JSON and results of a workflow's step."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from sfcode.apply.execute import ApplyResult
from sfcode.cli.apply_session import report
from sfcode.cli.github_actions import outputs, summary
from sfcode.cli.invocation import Invocation, RunResult
from sfcode.cli.plan_output import render_command, show_plan
from sfcode.errors import ConfigError, ExitCode, StillRunning
from sfcode.metadata.component import Address
from sfcode.plan.change import Change
from sfcode.plan.digest import changes_digest
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan, Refusal, Validation
from tests.plan.samples import TARGET, number

CHANGES = (
    Change(number("A__c").address, None, number("A__c")),
    Change(number("B__c").address, None, number("B__c")),
    Change(number("C__c").address, None, number("C__c")),
    Change(number("D__c").address, number("D__c"), number("D__c", 4)),
    Change(number("E__c").address, number("E__c"), number("E__c", 4)),
    Change(number("F__c").address, number("F__c"), None),
)
STEPS = "Left to do in Appcues:\n  1. Create the webhook."


class PartsOutput(io.StringIO):
    """An output that records the length of each text that is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []

    def write(self, text: str) -> int:
        self.lengths.append(len(text))
        return super().write(text)


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(TARGET, "prod", "1", "63.0", Address("StaticResource", "S"), changes, {}, **more)


def invocation(**more: Any) -> Invocation:
    return Invocation(named_config=Path("config"), **more)


FULL = plan(*CHANGES, warnings=("Mind this.",))


@pytest.fixture(autouse=True)
def without_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "ENV", "ORG"):
        monkeypatch.delenv(f"SFCODE_{name}", raising=False)


class TestApplied:
    @pytest.mark.parametrize(
        ("mode", "verb"),
        [(Mode.APPLY, "Apply"), (Mode.DESTROY, "Destroy"), (Mode.ROLLBACK, "Rollback")],
    )
    def test_the_result_is_followed_by_the_rollback_command_and_the_next_steps(
        self, capsys: pytest.CaptureFixture[str], mode: Mode, verb: str
    ) -> None:
        call = invocation(env="prod")
        report(call, ApplyResult(replace(FULL, mode=mode), ("0Af1",), "20261130T1200Z"), steps=STEPS)
        done = f"{verb} complete! Resources: 3 added, 2 changed, 1 destroyed."
        assert capsys.readouterr() == (
            (
                f"\n{done}\nTo restore the previous state: sfcode --env prod rollback 20261130T1200Z\n\n{STEPS}\n",
                "",
            )
        )
        assert (call.result.done, call.result.next_steps) == (done, STEPS)

    @pytest.mark.parametrize(
        ("result", "steps", "options", "printed"),
        [
            (ApplyResult(FULL), "", {}, "\nApply complete! Resources: 3 added, 2 changed, 1 destroyed.\n"),
            (
                ApplyResult(FULL, (), "id"),
                STEPS,
                {"quiet": True},
                "\nApply complete! Resources: 3 added, 2 changed, 1 destroyed.\n",
            ),
            (ApplyResult(plan(), (), "id"), STEPS, {}, ""),
        ],
        ids=["nothing to undo", "quiet", "empty"],
    )
    def test_lines_without_content_are_left_out(
        self,
        capsys: pytest.CaptureFixture[str],
        result: ApplyResult,
        steps: str,
        options: dict[str, bool],
        printed: str,
    ) -> None:
        report(invocation(**options), result, steps=steps)
        assert capsys.readouterr() == (printed, "")

    @pytest.mark.parametrize(("apply_id", "id_"), [("20261130T1200Z", "20261130T1200Z"), ("", None)])
    def test_the_json_answer(self, capsys: pytest.CaptureFixture[str], apply_id: str, id_: str | None) -> None:
        report(invocation(json=True), ApplyResult(FULL, ("0Af1", "0Af2"), apply_id), steps=STEPS)
        assert json.loads(capsys.readouterr().out) == {
            "status": 0,
            "result": {
                "added": 3,
                "changed": 2,
                "destroyed": 1,
                "apply_id": id_,
                "deployments": ["0Af1", "0Af2"],
                "org": "00D000000000001EAA",
                "next_steps": STEPS.splitlines(),
            },
            "warnings": ["Mind this."],
        }


class TestPlanned:
    @pytest.mark.parametrize(
        ("saved_plan", "options", "last"),
        [
            (
                FULL,
                {"env": "prod"},
                "Saved. To perform exactly these actions: sfcode --env prod apply p.plan",
            ),
            (
                replace(FULL, validation=Validation("0Af1", "d", None, (), "id", "me", "now", None)),
                {},
                "For ten days, and until anything else is deployed, that runs no tests again.",
            ),
            (
                replace(FULL, refusals=(Refusal(None, "too much", "do less"),)),
                {},
                "Nothing was saved to p.plan: the plan is refused.",
            ),
            (FULL, {"quiet": True}, "Plan: 3 to add, 2 to change, 1 to destroy."),
            (plan(), {}, "No changes."),
        ],
        ids=["saved", "checked", "refused", "quiet", "empty"],
    )
    def test_the_last_line_has_the_command_that_applies_a_saved_plan(
        self, capsys: pytest.CaptureFixture[str], saved_plan: Plan, options: dict[str, Any], last: str
    ) -> None:
        call = invocation(**options)
        show_plan(call, saved_plan, "text", saved=Path("p.plan"))
        assert capsys.readouterr().out.rstrip().splitlines()[-1].startswith(last)
        assert call.result.plan is saved_plan
        assert call.result.saved == (None if saved_plan.refusals else Path("p.plan"))

    @pytest.mark.parametrize("format_", ["markdown", "json"])
    def test_only_the_text_is_followed_by_advice(self, capsys: pytest.CaptureFixture[str], format_: str) -> None:
        show_plan(invocation(), FULL, format_, saved=Path("p.plan"))
        assert "Saved." not in capsys.readouterr().out
        show_plan(invocation(), FULL, "text")
        assert "aved" not in capsys.readouterr().out

    def test_the_envelope_has_the_status_and_the_warnings(self, capsys: pytest.CaptureFixture[str]) -> None:
        show_plan(invocation(json=True), FULL, "text", status=2)
        envelope = json.loads(capsys.readouterr().out)
        assert (envelope["status"], envelope["warnings"]) == (2, ["Mind this."])
        assert envelope["result"]["summary"] == {"create": 3, "update": 2, "delete": 1}

    @pytest.mark.parametrize("options", [{"json": True}, {}], ids=["envelope", "document"])
    def test_the_json_of_a_large_plan_is_written_in_parts(self, options: dict[str, Any]) -> None:
        """The whole text of a plan takes several times the memory of the plan."""
        changes = [Change(field.address, None, field) for field in (number(f"F{index}__c") for index in range(1_000))]
        with redirect_stdout(PartsOutput()) as output:
            show_plan(invocation(**options), plan(*changes), "json")
        document = json.loads(output.getvalue())
        assert len(document.get("result", document)["resource_changes"]) == 1_000
        assert max(output.lengths) < len(output.getvalue()) / 3


@pytest.mark.parametrize(
    ("options", "environ", "command"),
    [
        ({"named_config": Path("config")}, {}, "sfcode apply 'my plan'"),
        ({"named_config": Path("crm/config")}, {}, "sfcode --config crm/config apply 'my plan'"),
        ({"named_config": Path("config")}, {"CONFIG": "crm/config"}, "sfcode --config config apply 'my plan'"),
        ({"named_config": Path("crm/config")}, {"CONFIG": "crm/config"}, "sfcode apply 'my plan'"),
        (
            {"named_config": Path("config"), "env": "prod", "org": "alias:x"},
            {},
            "sfcode --env prod --org alias:x apply 'my plan'",
        ),
        (
            {"named_config": Path("config"), "env": "prod", "org": "alias:x"},
            {"ENV": "prod", "ORG": "alias:y"},
            "sfcode --org alias:x apply 'my plan'",
        ),
    ],
)
def test_a_command_to_copy_is_for_the_same_config_environment_and_org(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], environ: dict[str, str], command: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(f"SFCODE_{name}", value)
    assert render_command(Invocation(**options), "apply", "my plan") == command


class TestWorkflowStep:
    def test_the_outputs_of_a_plan(self) -> None:
        result = RunResult("plan", FULL, Path("p.plan"), outputs={"reviewed": "true"})
        assert outputs(result, ExitCode.CHANGES) == {
            "exit-code": "2",
            "changes": "true",
            "adds": "3",
            "updates": "2",
            "deletes": "1",
            "plan-digest": changes_digest(FULL),
            "plan-file": "p.plan",
            "reviewed": "true",
        }

    def test_the_outputs_of_an_unsaved_and_of_no_plan(self) -> None:
        assert outputs(RunResult("plan", plan()), 0) | {"plan-digest": ""} == {
            "exit-code": "0",
            "changes": "false",
            "adds": "0",
            "updates": "0",
            "deletes": "0",
            "plan-digest": "",
            "plan-file": "",
        }
        assert outputs(RunResult("apply"), 1) == {"exit-code": "1"}

    @pytest.mark.parametrize(
        ("result", "code", "start"),
        [
            (
                RunResult("apply", done="Apply complete!", next_steps="Do ```this```.\n"),
                0,
                "### Apply complete!\n\n````text\nDo ```this```.\n````\n",
            ),
            (
                RunResult("plan", error=ConfigError([])),
                1,
                "### sfcode plan ended with exit code 1\n\n```text\n",
            ),
            (
                RunResult("apply", error=StillRunning("The org still works on it.", "Wait.")),
                ExitCode.RUNNING,
                f"### sfcode apply ended with exit code {int(ExitCode.RUNNING)}: the deployment continues\n\n```text\nThe org",
            ),
            (RunResult("plan", error=click.exceptions.Exit(0)), 0, ""),
            (RunResult("plan", plan()), 0, "### No changes."),
        ],
    )
    def test_the_summary_begins_with_the_result_or_the_error(self, result: RunResult, code: int, start: str) -> None:
        text = "\n".join(summary(result, code))
        assert text.startswith(start)
        assert bool(text) is bool(start)
