"""Report a failed deployment with the YAML line behind each problem."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sfcode.apply.deploy import LOCKED
from sfcode.diagnostics import Diagnostic
from sfcode.errors import DeployFailed
from sfcode.mapping.desired import Origin
from sfcode.metadata.component import Address
from sfcode.org.results import DeployMessage, DeployResult


def failure(result: DeployResult, origins: Iterable[Origin], done: Sequence[str] = ()) -> DeployFailed:
    """
    Convert the org's messages about a failed deployment to one error.

    `done` describes the earlier changes of this apply, which the failed deployment does not revert.
    """
    listed = list(origins)
    problems = sorted(
        (problem_of(message, listed) for message in result.failures), key=lambda problem: problem.sort_key
    )
    lines = [str(problem) for problem in problems]
    if result.tests:
        lines += [f"Apex test {test.name}.{test.method}: {test.message}" for test in result.tests.failures]
    lines += list_coverage_warnings(result)
    if result.error_message:
        code = result.error_status_code or "error"
        message = result.error_message.removeprefix(f"{code}: ").removeprefix("null: ")
        lines.append(f"{code}: {message}")
    if not lines:
        lines.append(f"the deployment ended as {result.status}, and the org gave no reason")
    canceled = result.status == "Canceled"
    if canceled and not result.failures:
        lines = [f"It was canceled{f' by {result.canceled_by_name}' if result.canceled_by_name else ''}"]
    text = "".join(f"\n  - {line}" for line in lines)
    outcome = "it changed nothing" if done else "no metadata was changed"
    before = "".join(f"\n  - {line}" for line in done)
    headline = f"The deployment {result.id} was stopped" if canceled else f"The org refused the deployment {result.id}"
    headline = f"{headline} ({result.status}); {outcome}:{text}"
    return DeployFailed(f"{headline}\nDone before the deployment:{before}" if done else headline, _hint(result))


def list_coverage_warnings(result: DeployResult) -> list[str]:
    """List the org's warnings about Apex code and flows with too little test coverage."""
    return [f"Test coverage: {warning}" for warning in (result.tests.coverage_warnings if result.tests else ())]


def _hint(result: DeployResult) -> str:
    if result.error_status_code == LOCKED:
        return (
            "Another setup change is running in this org. When Setup > Deployment Status shows no running "
            "deployment, run `sfcode apply` again, or pass --lock-timeout 5m to wait."
        )
    if result.status == "Canceled":
        return "The config is correct. Run `sfcode apply` to deploy it."
    if result.error_message and not result.failures:
        return "No component caused this. Setup > Deployment Status may show more; then run `sfcode apply` again."
    return "Correct the lines named above, then run `sfcode plan` again."


def problem_of(message: DeployMessage, origins: list[Origin]) -> Diagnostic:
    """Convert the org's message about a component to a diagnostic at its YAML line."""
    address = Address(message.type, message.full_name)
    text = f"{address}: {message.problem}" if message.type else f"{message.full_name}: {message.problem}"
    origin = _origin(address, message.problem, origins)
    if origin is None:
        position = f" ({message.file_name}:{message.line}:{message.column})" if message.line else ""
        return Diagnostic.error(None, "", f"{text}{position}")
    return Diagnostic.error(origin.position, origin.path, text)


_USERS = re.compile(r" : (?P<users>[^:]+)$")
_VERSION = re.compile(r"Flow Version - (?P<id>301\w{12,15})")


def ignore_version_failures(result: DeployResult, versions: Collection[str]) -> DeployResult:
    """
    Return the result of a trial without the failures that only deleted flow versions cause.

    The apply deletes these versions before it deploys the package; a trial cannot. An org may refuse to delete a version of an active flow within a package, and then also refuses to delete the
    components that the version refers to. `versions` are their IDs.
    """
    if result.success or result.error_message or not result.failures:
        return result
    short = {version[:15] for version in versions}

    def is_caused_by_versions(message: DeployMessage) -> bool:
        if message.type == "FlowDefinition" or (message.type == "Flow" and re.search(r"-\d+$", message.full_name)):
            return bool(versions)
        users = _USERS.search(message.problem)
        matches = [_VERSION.fullmatch(user.strip()) for user in users["users"].split(",")] if users else []
        return bool(matches) and all(user and user["id"][:15] in short for user in matches)

    failures = tuple(message for message in result.failures if not is_caused_by_versions(message))
    passed = not failures and not (result.tests and result.tests.failures)
    return replace(result, failures=failures, success=passed)


def _origin(address: Address, problem: str, origins: list[Origin]) -> Origin | None:
    """
    Return the origin of the part of a component that a message is about; None if the component has no origin.

    Of several names in the message the longest one counts; without a name, the origin is that of the whole component.
    """
    own = [origin for origin in origins if origin.address == address]
    mentioned = [origin for origin in own if origin.token and _mentions(problem, origin.token)]
    if mentioned:
        return max(mentioned, key=lambda origin: len(origin.token))
    return next((origin for origin in own if not origin.token), None)


def _mentions(text: str, token: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(token)}(?!\w)", text) is not None
