"""The options that several verbs share, from the words of a command line to the request of a plan or deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
import pytest

from sfcode.cli.options import (
    ApexTestOptions,
    LockOptions,
    PlanOptions,
    allow_delete_option,
    apex_test_options,
    lock_options,
    plan_options,
)
from sfcode.errors import UsageError
from sfcode.metadata.component import Address
from sfcode.org import DeployOptions
from sfcode.plan.modes import Limits, Mode, PlanRequest

FIELD, FLOW = Address("CustomField", "Contact.A__c"), Address("Flow", "Appcues_contact")


@click.command()
@plan_options
@apex_test_options
@lock_options
def all_options(**options: Any) -> dict[str, Any]:
    return options


@click.command()
@allow_delete_option
def deletion(**options: Any) -> dict[str, Any]:
    return options


def parsed(*words: str, command: click.Command = all_options) -> dict[str, Any]:
    options: dict[str, Any] = command.main(words, standalone_mode=False)
    return options


def test_without_options_a_request_has_its_defaults() -> None:
    assert parsed() == {"choices": PlanOptions(), "apex_tests": ApexTestOptions(), "locking": LockOptions()}
    assert parsed(command=deletion) == {"allow_delete": ()}
    assert PlanOptions().make_request(Mode.APPLY) == PlanRequest()
    assert ApexTestOptions().make_deploy_options() == DeployOptions()


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (("--adopt", str(FIELD), "--adopt", str(FLOW)), PlanRequest(adopt=(FIELD, FLOW))),
        (("--adopt-managed",), PlanRequest(adopt_managed=True)),
        (("--allow-delete", str(FIELD), "--allow-delete", str(FLOW)), PlanRequest(allow_delete=(FIELD, FLOW))),
        (("--target", str(FIELD), "--target", str(FLOW)), PlanRequest(targets=(FIELD, FLOW))),
        (("--max-destroy", "3"), PlanRequest(limits=Limits(max_destroy="3"))),
        (("--max-change", "25%"), PlanRequest(limits=Limits(max_change="25%"))),
    ],
)
def test_each_option_of_a_plan_is_part_of_its_request(words: tuple[str, ...], request_: PlanRequest) -> None:
    for mode in Mode:
        assert parsed(*words)["choices"].make_request(mode) == replace(request_, mode=mode)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("--test-level", "RunLocalTests"), DeployOptions(test_level="RunLocalTests")),
        (
            ("--test-level", "RunSpecifiedTests", "--tests", "A", "--tests", "B"),
            DeployOptions(test_level="RunSpecifiedTests", run_tests=("A", "B")),
        ),
        (("--test-level", "RunSpecifiedTests"), None),
        (("--tests", "A"), None),
        (("--test-level", "RunLocalTests", "--tests", "A"), None),
    ],
)
def test_tests_and_their_level_go_together(words: tuple[str, ...], options: DeployOptions | None) -> None:
    apex_tests = parsed(*words)["apex_tests"]
    if options is not None:
        assert apex_tests.make_deploy_options() == options
        return
    with pytest.raises(UsageError, match="--tests and --test-level RunSpecifiedTests go together"):
        apex_tests.make_deploy_options()


@pytest.mark.parametrize(
    ("words", "locking"),
    [
        (("--no-lock",), LockOptions(lock=False)),
        (("--lock",), LockOptions()),
        (("--lock-timeout", "45"), LockOptions(lock_timeout=45.0)),
        (("--lock-timeout", " 30s "), LockOptions(lock_timeout=30.0)),
        (("--lock-timeout", "5 m"), LockOptions(lock_timeout=300.0)),
        (("--lock-timeout", "1h"), LockOptions(lock_timeout=3600.0)),
    ],
)
def test_a_lock_is_waited_for_as_long_as_the_duration_says(words: tuple[str, ...], locking: LockOptions) -> None:
    assert parsed(*words)["locking"] == locking


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--lock-timeout", "soon"), "'soon' is not a duration. Write 30s, 5m or 1h."),
        (("--lock-timeout", "-5"), "is not a duration"),
        (("--lock-timeout", "1d"), "is not a duration"),
        (("--lock-timeout", "1234567"), "is not a duration"),
        (("--adopt", "Contact.A__c"), "Contact.A__c"),
        (("--allow-delete", "x"), "x"),
        (("--target", "x"), "x"),
        (("--max-change", "many"), "Write 3 or 25%."),
        (("--test-level", "Some"), "is not one of 'NoTestRun'"),
    ],
)
def test_an_invalid_value_is_a_usage_error(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        parsed(*words)
    assert message in refused.value.format_message()
