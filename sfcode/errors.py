"""
Errors and exit codes.

* SfcodeError            the user can do something about it
  - UsageError           the command line is wrong
  - ConfigError          problems in the project's files, all of them at once
  - OrgError             the org, or the way to it
    - SignInError        no session: nothing configured, expired, refused
    - OrgUnreachable     no answer: network, name, time-out
    - DeployFailed       the org refused a package; nothing was changed
    - StillRunning       a deployment goes on in the org without us
  - Interrupted          Ctrl-C before anything was done
  - Refused              sfcode will not do this; the message says what would change its mind

Everything else that reaches the top is a bug of ours.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from sfcode.diagnostics import Diagnostic


class ExitCode(enum.IntEnum):
    """What a process says when it ends."""

    OK = 0
    USER = 1
    CHANGES = 2
    BUG = 3
    RUNNING = 4
    INTERRUPTED = 130


class SfcodeError(Exception):
    """Something the user can act on: what happened, and in `hint` what to do."""

    exit_code = ExitCode.USER

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(SfcodeError):
    """The command line does not make sense."""


class ConfigError(SfcodeError):
    """The project's files hold problems; `problems` has them in file order."""

    problems: tuple[Diagnostic, ...]

    def __init__(self, problems: Iterable[Diagnostic]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class OrgError(SfcodeError):
    """The org answered with an error; `code` is its own, such as INVALID_FIELD."""

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class SignInError(OrgError):
    """There is no valid session with the org."""


class OrgUnreachable(OrgError):
    """The org did not answer."""


class DeployFailed(OrgError):
    """The org refused the package; nothing was changed."""


class StillRunning(OrgError):
    """A deployment goes on in the org without us."""

    exit_code = ExitCode.RUNNING


class Interrupted(SfcodeError):
    """The user pressed Ctrl-C before anything was done."""

    exit_code = ExitCode.INTERRUPTED


class Refused(SfcodeError):
    """Sfcode will not do what was asked, unless the user takes responsibility for it."""
