"""Learn from the org what a message does not tell: at each sign-in, again when a message waits for it, and now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from sfcode.errors import SfcodeError
from sfcode.org import Org
from sfcode.relay.instrumentation import CallEvents

log = structlog.stdlib.get_logger(__name__)

LOOK = 15.0
"""Seconds between two looks whether a message waits."""
EVERY = 3600.0
"""Seconds after which the org is asked again anyhow: somebody may have changed a field's type."""


class Lesson(Protocol):
    """What there is to learn."""

    @property
    def asks(self) -> bool:
        """Whether there is anything."""

    @property
    def missing(self) -> frozenset[tuple[str, str]]:
        """Fields, by object and name, whose types messages wait for."""

    def recall(self) -> None:
        """Take up what was learnt before."""

    def learn(self, org: Org) -> None:
        """Ask the org, and remember it."""


class FieldTypeRefresher:
    """Asks the org until it has answered, and from then on when it is time."""

    def __init__(
        self, lesson: Lesson, instrumentation: CallEvents, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lesson, self._instrumentation, self._clock = lesson, instrumentation, clock
        self._learnt: float | None = None
        self._told: frozenset[tuple[str, str]] = frozenset()

    async def recall(self) -> None:
        """Take up what was learnt before."""
        await asyncio.to_thread(self._lesson.recall)

    async def look(self, org: Org) -> None:
        """Ask the org if it is time, and say which fields it does not show although messages hold them."""
        late = self._learnt is None or self._clock() - self._learnt >= EVERY
        if not self._lesson.asks or not (late or self._lesson.missing):
            return
        try:
            await asyncio.to_thread(self._lesson.learn, org)
        except SfcodeError as error:
            log.warning("field_types_not_learnt", exc_info=error)
            return
        except Exception:  # what is known goes on being used
            log.exception("field_types_not_learnt")
            return
        self._learnt = self._clock()
        missing = self._lesson.missing
        if missing - self._told:
            self._instrumentation.raise_alarm("field_type_unknown", _said(missing))
        self._told = missing

    async def keep(self, org: Org) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look(org)


def _said(missing: frozenset[tuple[str, str]]) -> str:
    names = ", ".join(".".join(each) for each in sorted(missing))
    return (
        f"Messages hold values of {names}, which the org does not show to the user that the relay signs in as. So it is "
        "not known what they are, and those messages wait"
    )
