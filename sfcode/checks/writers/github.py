"""Diagnostics as GitHub annotations, which a workflow shows beside the YAML."""

from __future__ import annotations

from collections.abc import Iterable

from sfcode.checks.lint.confidential import redact_secrets
from sfcode.checks.rules import RULES
from sfcode.checks.writers import in_repository
from sfcode.diagnostics import Diagnostic, Level

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def format_annotations(diagnostics: Iterable[Diagnostic], folder: str = "") -> str:
    """Render one line for each diagnostic; `folder` is the base of positions, relative to the repository."""
    return "\n".join(_annotation(folder, diagnostic) for diagnostic in diagnostics if diagnostic.level in _COMMANDS)


def _annotation(folder: str, diagnostic: Diagnostic) -> str:
    position = in_repository(folder, diagnostic.position, diagnostic.path)
    title = f"{diagnostic.rule} {RULES[diagnostic.rule].name}"
    properties = f"file={_property(position.file)},line={position.line},col={position.column},title={_property(title)}"
    return f"::{_COMMANDS[diagnostic.level]} {properties}::{_data(redact_secrets(diagnostic.text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
