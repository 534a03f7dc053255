"""Validate the data of a file: return a typed value, problems, or both."""

from __future__ import annotations

from typing import Any, TypeVar

from sfcode.config.base import Model, ValidationError
from sfcode.config.document import Document
from sfcode.config.validation_errors import locate_error, translate_error
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.place import ConfigPath

M = TypeVar("M", bound=Model)
Errors = list[dict[str, Any]]


def validate(
    model: type[M], document: Document, data: object, unsure: set[ConfigPath]
) -> tuple[M | None, list[Diagnostic]]:
    """
    Validate the data of a file; return the value, or None, and the problems.

    Invalid entries are added to `unsure`. If possible, the value is created without them,
    so that rules can check the rest in the same run.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        errors = error.errors
    findings = [translate_error(details, document, model) for details in errors]
    unsure |= {finding.instead for finding in findings if finding.instead}
    problems = [document.problem(finding) for finding in findings if finding.path not in unsure]
    unsure |= {finding.path for finding in findings}
    return _salvage(model, document, data, errors), problems


def _salvage(model: type[M], document: Document, data: object, errors: Errors) -> M | None:
    """Create the value without the invalid entries, or without the entries around them."""
    while errors:
        wrong = {locate_error(details, document)[0] for details in errors}
        wrong |= {tuple(details["loc"])[:-1] for details in errors if details["type"] == "missing"}
        if () in wrong:
            return None
        before, data = data, _without(data, wrong)
        if data == before:
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            errors = error.errors
    return None


def _without(node: object, paths: set[ConfigPath], path: ConfigPath = ()) -> object:
    """Copy data without some of its entries."""
    if isinstance(node, dict):
        return {key: _without(value, paths, (*path, key)) for key, value in node.items() if (*path, key) not in paths}
    if isinstance(node, list):
        return [
            _without(value, paths, (*path, index)) for index, value in enumerate(node) if (*path, index) not in paths
        ]
    return node
