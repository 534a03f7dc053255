"""
Errors and exit codes.

* SfcodeError            the user can do something about it
  - UsageError           the command line is wrong
  - ConfigError          problems in the project's files, all of them at once
  - OrgError             the org, or the way to it
    - SignInError        no session: nothing configured, expired, refused
    - OrgUnreachable     no answer: network, name, time-out
    - DeployFailed       the org refused a package; nothing was changed
    - StillRunning       a deployment continues in the org
  - Interrupted          Ctrl-C before anything was done
  - Refused              sfcode does not do this; the hint says what allows it

Every other exception that reaches the command line is a bug.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from sfcode.diagnostics import Diagnostic


class ExitCode(enum.IntEnum):
    """The exit codes of the command line."""

    OK = 0
    USER = 1
    CHANGES = 2
    BUG = 3
    RUNNING = 4
    INTERRUPTED = 130
    TERMINATED = 143


class SfcodeError(Exception):
    """An error that the user can act on, with a message, and in `hint` what to do."""

    exit_code = ExitCode.USER

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(SfcodeError):
    """Invalid usage of the command line."""


class ConfigError(SfcodeError):
    """Problems in the project's files; `problems` are in file order."""

    problems: tuple[Diagnostic, ...]

    def __init__(self, problems: Iterable[Diagnostic]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OrgError(SfcodeError):
    """
    An error response of the org; `code` is Salesforce's, such as INVALID_FIELD.

    `retry_after` is the number of seconds from the org's Retry-After header, or None.
    """

    def __init__(self, message: str, hint: str = "", *, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.code = code
        self.retry_after = retry_after


HIDDEN_CODES = frozenset({"INVALID_TYPE", "INVALID_FIELD"})
"""Error codes of queries for objects and fields that do not exist, or that the signed-in user cannot read."""


class SignInError(OrgError):
    """Raised when there is no valid session with the org."""


class OrgUnreachable(OrgError):
    """Raised when the org does not answer."""


class DeployFailed(OrgError):
    """Raised when the org refuses the package; no metadata was changed."""


class StillRunning(OrgError):
    """Raised when a deployment continues in the org."""

    exit_code = ExitCode.RUNNING


class Interrupted(SfcodeError):
    """Raised when the user pressed Ctrl-C before any change."""

    exit_code = ExitCode.INTERRUPTED


class Refused(SfcodeError):
    """Raised for a request that sfcode refuses unless the user passes an option that allows it."""
