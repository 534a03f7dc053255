"""Confidential data: secrets in files (SF209, SF213), personal data (SF203), session IDs (SF208)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfcode.checks.personal_data import is_listed, is_personal
from sfcode.checks.rules import report
from sfcode.checks.snapshot import Snapshot
from sfcode.diagnostics import Diagnostic, Position

SHAPES = {
    "a Salesforce session ID": r"\b00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?![A-Za-z0-9._]{20,}",
    "an SFDX auth URL": r"\bforce://[^\s\"'@]*:[^\s\"'@]*:[^\s\"'@]+@[^\s\"']+",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a password in an address": r"\bhttps?://[^\s/:@\"']+:(?!\$\{)[^\s/@\"']+@",
}
"""Patterns of secrets."""

_ANY = re.compile("|".join(f"(?:{shape})" for shape in SHAPES.values()))
_CALLED = re.compile(r"secret|token|passw(or)?d|api_?key|private_?key|credential", re.IGNORECASE)
_HINT = "write ${secret:NAME} and put the value into the environment variable NAME; create a new one, since this one is exposed"


def check(side: Snapshot) -> Iterator[Diagnostic]:
    """Find confidential data that leaves Salesforce or gets into a repository."""
    yield from _check_personal_data(side)
    yield from _check_session_ids(side)
    yield from _check_secrets(side)


def _check_personal_data(side: Snapshot) -> Iterator[Diagnostic]:
    settings = side.project.settings.review.personal_data
    for mapping in side.project.resolved:
        for use in mapping.attributes:
            if is_personal(mapping.object, use.field, settings) and not is_listed(
                mapping.object, use.field, settings.accepted
            ):
                text = f"{mapping.object}.{use.field} is personal data and is sent to Appcues"
                hint = f"remove it, or accept it in sfcode.yaml: review.personal_data.accepted: [{mapping.object}.{use.field}]"
                yield report("SF203", use.place, text, hint)


def _check_session_ids(side: Snapshot) -> Iterator[Diagnostic]:
    for component in side.desired.components:
        if component.type == "WorkflowOutboundMessage" and component.body.get("includeSessionId") is True:
            text = "the template asks for session IDs, which Salesforce no longer puts into outbound messages"
            place = side.template_line("WorkflowOutboundMessage", "<includeSessionId>")
            yield report("SF208", place, text, "write <includeSessionId>false</includeSessionId>")


def _check_secrets(side: Snapshot) -> Iterator[Diagnostic]:
    """Check the text of every file, including comments. Messages do not contain the value."""
    for file, text in side.texts.items():
        if not _ANY.search(text):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            for kind, shape in SHAPES.items():
                match = re.search(shape, line)
                if match:
                    yield report("SF209", Position(file, number, match.start() + 1), f"this looks like {kind}", _HINT)
    project = side.project
    for name, value in project.target.variables.items():
        if _CALLED.search(name) and value and "${secret:" not in value:
            place = project.place("environments", project.environment, "variables", name)
            yield report(
                "SF213", place, f"the variable {name} has the name of a secret, and its value is in this file", _HINT
            )


def redact_secrets(text: str) -> str:
    """Replace everything in a text that looks like a secret by asterisks."""
    return _ANY.sub("********", text)
