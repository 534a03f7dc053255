"""What an org says of a package may repeat a secret that was in it: it is taken out before anybody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sfcode.org.results import DeployResult


def redact(result: DeployResult, secrets: Mapping[str, str]) -> DeployResult:
    """Write placeholders for the values of secrets in all that an org said."""

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
