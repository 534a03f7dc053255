"""Turn a file's data into a typed value, or into problems; and for further rules, into both."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sfcode.config.document import Document
from sfcode.config.explain import explain, place
from sfcode.config.project import ConfigPath
from sfcode.errors import Problem

M = TypeVar("M", bound=BaseModel)


def validate(
    model: type[M], document: Document, data: object, unsure: set[ConfigPath]
) -> tuple[M | None, list[Problem]]:
    """
    Validate data.

    Entries that are wrong are added to `unsure`. The value is made without them where that is
    possible, so that the rules about the rest can speak in the same run.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        errors: list[dict[str, Any]] = [dict(details) for details in error.errors(include_url=False)]
    problems = []
    for details in errors:
        finding = explain(details, document, model)
        if finding.path not in unsure:
            problems.append(document.problem(finding))
    wrong = {place(details, document)[0] for details in errors}
    unsure |= wrong
    try:
        return model.model_validate(_without(data, wrong)), problems
    except ValidationError:
        return None, problems


def _without(node: object, paths: set[ConfigPath], path: ConfigPath = ()) -> object:
    """Copy data without some of its entries."""
    if isinstance(node, dict):
        return {key: _without(value, paths, (*path, key)) for key, value in node.items() if (*path, key) not in paths}
    if isinstance(node, list):
        return [
            _without(value, paths, (*path, index)) for index, value in enumerate(node) if (*path, index) not in paths
        ]
    return node
