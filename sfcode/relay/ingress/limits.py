"""Limits on what the relay accepts from one request, one client, and all requests together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.ingress.responses import busy

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class IngressLimits:
    """Limits of one request, of one client, and of all requests together."""

    webhook_bytes: int = MIB
    outbound_bytes: int = 4 * MIB
    held_bytes: int = 32 * MIB
    """Total size of the bodies of all requests in progress, in bytes."""
    small_bytes: int = 64 * KIB
    reserved_bytes: int = 8 * MIB
    """The part of `held_bytes` that is reserved for bodies of at most `small_bytes`, so that large ones do not block them."""
    client_bytes: int = 16 * MIB
    """Total size of the bodies of one client's requests, in bytes."""
    client_requests: int = 500
    """Concurrent requests of one client."""
    client_unsigned: int = 250
    """Concurrent requests of one client whose signature cannot be checked yet, since the body has not arrived."""
    body_seconds: float = 10.0
    """Seconds for a whole body to arrive."""
    accept_seconds: float = 30.0
    """Seconds for the commit of its messages; Salesforce waits for 60."""
    busy_seconds: int = 5
    """The Retry-After of refusals because of the relay's own state, in seconds."""
    events: int = 1000
    json_depth: int = 64
    json_digits: int = 100
    xml_elements: int = 100_000


class WorkInProgress:
    """Counts requests in progress by client, so that no client can use up the common limits."""

    def __init__(self, limits: IngressLimits) -> None:
        self._limits = limits
        self._left = limits.held_bytes
        self._bytes: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._unsigned: Counter[str] = Counter()

    @contextmanager
    def request(self, client: str) -> Iterator[None]:
        """Count a request in progress. Raises HttpError if a client has too many."""
        with self._within(self._requests, client, self._limits.client_requests, "client_requests"):
            yield

    @contextmanager
    def unsigned_body(self, client: str) -> Iterator[None]:
        """Count a body while it arrives, before its signature is checked. Raises HttpError if a client has too many."""
        with self._within(self._unsigned, client, self._limits.client_unsigned, "client_unsigned_bodies"):
            yield

    def take(self, client: str, reserved_before: int, count: int) -> None:
        """Reserve bytes for a body of which `reserved_before` bytes are reserved already. Raises HttpError if too few are left."""
        limits = self._limits
        reserved = limits.reserved_bytes if reserved_before + count > limits.small_bytes else 0
        if count > self._left - reserved:
            raise busy(limits.busy_seconds, "too_many_bodies")
        if self._bytes[client] + count > limits.client_bytes:
            raise busy(limits.busy_seconds, "client_bodies")
        self._left -= count
        self._bytes[client] += count

    def give_back(self, client: str, count: int) -> None:
        """Release bytes."""
        self._left += count
        _subtract(self._bytes, client, count)

    @contextmanager
    def _within(self, counter: Counter[str], client: str, most: int, reason: str) -> Iterator[None]:
        if counter[client] >= most:
            raise busy(self._limits.busy_seconds, reason)
        counter[client] += 1
        try:
            yield
        finally:
            _subtract(counter, client, 1)


def _subtract(counter: Counter[str], client: str, count: int) -> None:
    counter[client] -= count
    if not counter[client]:
        del counter[client]  # otherwise every past client would be kept
