"""The report of a deploy, as stored, and as REST and SOAP return it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sfcode.local.clock import stamp
from sfcode.local.metadata.deploy.options import DeployRequestOptions

if TYPE_CHECKING:
    from sfcode.local.metadata.deploy.engine import DeployOutcome

Json = dict[str, Any]

TEMPLATES: dict[str, Json] = json.loads(files(__package__).joinpath("report.json").read_bytes())
"""The reports of a deploy that has not begun, and of tests of which none ran, with keys in the order of the WSDL."""
NO_TESTS = TEMPLATES["tests"]


def report_pending(deploy_id: str, options: DeployRequestOptions, user_id: str, user_name: str, now: datetime) -> Json:
    """Return the report of a pending deploy, with keys in the order of the WSDL."""
    at = stamp(now)
    return TEMPLATES["report"] | {
        "checkOnly": options.checkOnly,
        "createdBy": user_id,
        "createdByName": user_name,
        "createdDate": at,
        "details": render_details((), at),
        "id": deploy_id,
        "ignoreWarnings": options.ignoreWarnings,
        "lastModifiedDate": at,
        "rollbackOnError": options.rollbackOnError,
        "runTestsEnabled": options.runs_tests,
    }


def report_started(report: Json, now: datetime) -> Json:
    """Return the report of a running deploy."""
    at = stamp(now)
    return report | {"lastModifiedDate": at, "startDate": at, "status": "InProgress"}


def report_finished(report: Json, outcome: DeployOutcome, now: datetime) -> Json:
    """Return the report of a finished deploy."""
    at = stamp(now)
    components = [message for message in outcome.messages if message.component_type or not message.success]
    failures = len(outcome.failures)
    return report | {
        "completedDate": at,
        "details": render_details(outcome.messages, at) | {"runTestResult": render_tests(outcome)},
        "done": True,
        "lastModifiedDate": at,
        "numberComponentErrors": failures,
        "numberComponentsDeployed": len(components) - failures,
        "numberComponentsTotal": len(components),
        "numberTestsCompleted": len(outcome.tests),
        "numberTestsTotal": len(outcome.tests),
        "status": outcome.status,
        "success": outcome.status == "Succeeded",
    }


def render_tests(outcome: DeployOutcome) -> Json:
    """Return the result of the requested tests: all are reported as passed, although none was run."""
    return NO_TESTS | {
        "flowCoverageWarnings": list(outcome.coverage_warnings),
        "numTestsRun": len(outcome.tests),
        "successes": [test.json() for test in outcome.tests],
    }


def report_stopped(
    report: Json, status: str, now: datetime, *, code: str | None = None, message: str | None = None
) -> Json:
    """Return the report of a deploy without an outcome: canceled, aborted, or refused."""
    at = stamp(now)
    return report | {
        "completedDate": at,
        "done": True,
        "errorMessage": message,
        "errorStatusCode": code,
        "lastModifiedDate": at,
        "status": status,
        "success": False,
    }


def render_details(messages: Any, at: str) -> Json:
    """Return the messages about components, separated into failures and successes."""
    return {
        "allComponentMessages": [],
        "componentFailures": [message.json(at) for message in messages if not message.success],
        "componentSuccesses": [message.json(at) for message in messages if message.success],
        "retrieveResult": None,
        "runTestResult": NO_TESTS,
    }


def to_soap(report: Mapping[str, Any], *, include_details: bool) -> Json:
    """Convert a report to SOAP: times end in Z, and details are included on request."""
    soap_report: Json = {}
    for name, value in report.items():
        if name == "details":
            if include_details:
                soap_report[name] = to_soap(value, include_details=True)
        elif isinstance(value, list):
            soap_report[name] = [to_soap(member, include_details=True) for member in value]
        elif isinstance(value, Mapping):
            soap_report[name] = to_soap(value, include_details=True)
        else:
            soap_report[name] = to_soap_time(value) if name.endswith("Date") and isinstance(value, str) else value
    return soap_report


def to_soap_time(text: str) -> str:
    """Convert a time of REST to SOAP."""
    return text.removesuffix("+0000") + "Z" if text.endswith("+0000") else text
