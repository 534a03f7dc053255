"""The JSON documents of `--json`, with the structure of the sf CLI, for `sfcode schema envelope`."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from sfcode.plan.document_types import described


@described
class ResultEnvelope(TypedDict):
    """The result of a command."""

    status: int
    """The exit code."""
    result: Any
    """The result; its shape depends on the command."""
    warnings: list[str]


@described
class ErrorEnvelope(TypedDict):
    """The error that ended a command."""

    name: str
    """The kind of error: `ConfigError`."""
    message: str
    exitCode: int
    status: int
    """The exit code, as in `exitCode`."""
    warnings: list[str]
    problems: NotRequired[list[str]]
    """The problems of the config, each with its position."""


Envelope = ResultEnvelope | ErrorEnvelope
