"""What the relay's parts tell about themselves: counted and logged by whoever listens."""

from __future__ import annotations

from typing import Protocol


class CallEvents(Protocol):
    """Hears of what happens; never of what a message holds, nor of secrets."""

    def call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        """Hear that a call to `salesforce` or `appcues` was made: `upsert`, `200` or `timeout`, how long it took."""

    def quota(self, used: int, limit: int) -> None:
        """Hear how much of the org's API requests of the day is used."""

    def alarm(self, name: str, detail: str) -> None:
        """Hear of something that a person has to look at, by a short name that does not change."""


class Deaf:
    """An observer that nobody listens through."""

    def call(self, side: str, operation: str, outcome: str, seconds: float) -> None:
        """Ignore a call."""

    def quota(self, used: int, limit: int) -> None:
        """Ignore the quota."""

    def alarm(self, name: str, detail: str) -> None:
        """Ignore an alarm."""
