"""Secrets in responses of an org are redacted."""

from __future__ import annotations

from sfcode.apply.redact import redact
from sfcode.org.results import DeployMessage, DeployResult, TestFailure, TestRun

SECRETS = {"A": "0123456789abcdef", "B": "fedcba9876543210"}
TEXT = "https://x.example/0123456789abcdef and fedcba9876543210"


def test_secret_values_in_an_orgs_response_become_placeholders():
    message = DeployMessage("WorkflowOutboundMessage", "Contact.X", problem=TEXT)
    tests = TestRun(1, 1, failures=(TestFailure("T", "m", TEXT, TEXT),), coverage_warnings=(TEXT,))
    result = DeployResult(
        "0Af1",
        "Failed",
        done=True,
        success=False,
        failures=(message,),
        successes=(message,),
        error_message=TEXT,
        state_detail=TEXT,
        tests=tests,
    )
    clean = repr(redact(result, SECRETS))
    assert not [value for value in SECRETS.values() if value in clean]
    assert clean.count("https://x.example/${secret:A} and ${secret:B}") == 7


def test_a_text_without_secrets_is_unchanged():
    result = DeployResult("0Af1", "Succeeded", done=True, success=True)
    assert redact(result, SECRETS) == result
