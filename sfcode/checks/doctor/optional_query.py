"""Run a query that the org may refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sfcode.checks.doctor.facts import Unknown
from sfcode.errors import OrgError, OrgUnreachable, SignInError

Answer = TypeVar("Answer")


def ask(question: Callable[[], Answer]) -> Answer | Unknown:
    """Return the result, or why there is none. An expired session and a failed connection raise."""
    try:
        return question()
    except (SignInError, OrgUnreachable):
        raise
    except OrgError as error:
        return Unknown(reason(error))


def reason(error: OrgError) -> str:
    """Shorten an org's message to its last line; in SOQL errors, the lines above quote the query."""
    last = error.message.strip().rpartition("\n")[2].strip()
    return last if error.code in last else f"{error.code}: {last}"
