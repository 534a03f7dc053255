"""Limits on what the relay accepts."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class IngressLimits:
    """Limits of one request, and of all requests together."""

    webhook_bytes: int = MIB
    outbound_bytes: int = 4 * MIB
    held_bytes: int = 32 * MIB
    """Of the bodies of all requests that are being received and worked on."""
    body_seconds: float = 10.0
    """For a whole body to arrive."""
    accept_seconds: float = 30.0
    """For what it says to be committed; Salesforce waits for 60."""
    busy_seconds: int = 5
    """When to come again, for those who are turned away because of our own trouble."""
    events: int = 1000
    json_depth: int = 64
    json_digits: int = 100
    xml_elements: int = 100_000


class ByteBudget:
    """Bytes that all requests together may hold."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, count: int) -> bool:
        """Reserve bytes; return whether there were enough."""
        if count > self._left:
            return False
        self._left -= count
        return True

    def give_back(self, count: int) -> None:
        """Release bytes."""
        self._left += count
