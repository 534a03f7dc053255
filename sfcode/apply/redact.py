"""Remove secrets from messages of the org about a package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sfcode.org.results import DeployResult


def redact(result: DeployResult, secrets: Mapping[str, str]) -> DeployResult:
    """Replace the values of secrets by placeholders in all messages of the org."""

    def redact_text(text: str) -> str:
        for name, value in secrets.items():
            text = text.replace(value, f"${{secret:{name}}}")
        return text

    tests = result.tests
    if tests:
        failures = tuple(
            replace(test, message=redact_text(test.message), stack_trace=redact_text(test.stack_trace))
            for test in tests.failures
        )
        tests = replace(tests, failures=failures, coverage_warnings=tuple(map(redact_text, tests.coverage_warnings)))
    return replace(
        result,
        failures=tuple(replace(message, problem=redact_text(message.problem)) for message in result.failures),
        successes=tuple(replace(message, problem=redact_text(message.problem)) for message in result.successes),
        error_message=redact_text(result.error_message),
        state_detail=redact_text(result.state_detail),
        tests=tests,
    )
