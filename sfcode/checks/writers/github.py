"""The findings as annotations: lines that a GitHub workflow turns into remarks beside the YAML."""

from __future__ import annotations

from sfcode.checks.lint.secrets import masked
from sfcode.checks.rules import RULES
from sfcode.review.model import Finding, Level, Review
from sfcode.review.reports.common import all_findings, place_in_repository

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def github(review: Review) -> str:
    """Write one line for each finding that the change brought, and for each error."""
    shown = (finding for finding in all_findings(review) if finding.new or finding.level is Level.ERROR)
    return "\n".join(_annotation(review, finding) for finding in shown)


def _annotation(review: Review, finding: Finding) -> str:
    where = place_in_repository(review.folder, finding)
    title = f"{finding.rule} {RULES[finding.rule].name}"
    text = masked(f"{finding.message}; {finding.hint}" if finding.hint else finding.message)
    properties = f"file={_property(where.file)},line={where.line},col={where.column},title={_property(title)}"
    return f"::{_COMMANDS[finding.level]} {properties}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
