"""Options about the lock of an org, and how a run holds it."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfcode.cli.output import say
from sfcode.cli.session import Session

if TYPE_CHECKING:
    from sfcode.apply.lock import Lock
    from sfcode.config.project import Project
    from sfcode.org import Org

Command = TypeVar("Command", bound=Callable[..., Any])

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Locking:
    """Whether to lock the org, and how many seconds to wait for somebody else's lock."""

    wanted: bool = True
    patience: float = 0.0


class Duration(click.ParamType):  # type: ignore[type-arg]  # no arguments at run time
    """`30s`, `5m`, `1h`; a number alone is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text as seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,6})\s*([smh]?)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration. Write 30s, 5m or 1h.", param, ctx)
        return float(int(found[1]) * UNITS[found[2]])


def lock_options(command: Command) -> Command:
    """Add the options about the lock."""
    patience = click.option(
        "--lock-timeout",
        type=Duration(),
        default="0s",
        show_default=True,
        metavar="DURATION",
        help="How long to wait for another apply, or another tool that changes the setup of this org: 30s, 5m, 1h.",
    )
    wanted = click.option("--lock/--no-lock", default=True, help="Keep a second apply from running in the org.")
    return patience(wanted(command))


@contextmanager
def hold(session: Session, project: Project, org: Org, locking: Locking, plan: str = "") -> Iterator[Lock]:
    """
    Hold the lock of the org for as long as something is changed there.

    The end of a workflow's job (SIGTERM) is an interruption then, as Ctrl-C is, so that the lock is given back.
    """
    from sfcode.apply.lock import Lock, locked
    from sfcode.apply.lock_holder import this_run

    if not locking.wanted:
        yield Lock()
        return

    def aside(line: str) -> None:
        say(session, line)

    holder = this_run(session.outcome.verb, plan)
    with _stoppable(), locked(org, project.settings.name, holder, patience=locking.patience, say=aside) as lock:
        yield lock


@contextmanager
def _stoppable() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
