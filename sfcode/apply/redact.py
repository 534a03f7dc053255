"""What an org says of a package may repeat a secret that was in it: it is taken out before anybody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sfcode.org.results import DeployResult


def redact(result: DeployResult, secrets: Mapping[str, str]) -> DeployResult:
    """Write placeholders for the values of secrets in all that an org said."""

    def clean(text: str) -> str:
        for name, value in secrets.items():
            text = text.replace(value, f"${{secret:{name}}}")
        return text

    tests = result.tests
    if tests:
        failures = tuple(
            replace(test, message=clean(test.message), stack_trace=clean(test.stack_trace)) for test in tests.failures
        )
        tests = replace(tests, failures=failures, coverage_warnings=tuple(map(clean, tests.coverage_warnings)))
    return replace(
        result,
        failures=tuple(replace(each, problem=clean(each.problem)) for each in result.failures),
        successes=tuple(replace(each, problem=clean(each.problem)) for each in result.successes),
        error_message=clean(result.error_message),
        state_detail=clean(result.state_detail),
        tests=tests,
    )
