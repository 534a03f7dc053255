"""
Limits on connections: idle connections are closed in favor of active ones.

A connection on which the relay waits for the client may be closed to make room for another. Connections beyond the limits
get answers to health checks only, so that a busy relay is not considered down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Protocol

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.ingress.client_address import Address, Network, is_within, name_client


class Awaits(IntEnum):
    """What a connection waits for; lower values are closed first."""

    HEAD = 0
    """The client's next request."""
    BODY = 1
    """The rest of a request."""
    ANSWER = 2
    """The relay's response."""


class ClientConnection(Protocol):
    """An open connection."""

    peer: Address | None
    """The address at its other end; None on a Unix socket."""

    @property
    def awaits(self) -> Awaits:
        """What the connection is waiting for."""

    def end(self) -> None:
        """Close the connection."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The maximum numbers of connections."""

    most: int = 1000
    """Connections of all peers together; each may hold a body in memory."""
    of_peer: int = 500
    """Connections of one peer, unless it is a trusted proxy, which carries the requests of many clients."""
    spare: int = 50
    """Connections beyond either limit, for health checks."""


class ConnectionTable:
    """The open connections of a server by peer, each peer's in order of age."""

    def __init__(
        self,
        limits: ConnectionLimits,
        proxies: Callable[[], Sequence[Network]] = tuple,
        record_refused: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._limits = limits
        self._proxies = proxies
        self.record_refused = record_refused
        """Called with the reason of each refusal."""
        self._peers: dict[str, dict[ClientConnection, None]] = {}
        self._count = 0

    def add(self, connection: ClientConnection) -> bool:
        """Add a connection, closing another one if necessary; return whether the new one is within the limits."""
        peer = name_client(connection.peer)
        peer_connections = self._peers.setdefault(peer, {})
        peer_connections[connection] = None
        self._count += 1
        beyond = 0 if is_within(connection.peer, self._proxies()) else len(peer_connections) - self._limits.of_peer
        if beyond > 0:
            return self._make_room(peer_connections, connection, "client_connections", beyond)
        beyond = self._count - self._limits.most
        if beyond > 0:
            return self._make_room(max(self._peers.values(), key=len), connection, "connections", beyond)
        return True

    def remove(self, connection: ClientConnection) -> None:
        """Remove a connection, if it is still in the table."""
        peer = name_client(connection.peer)
        peer_connections = self._peers.get(peer, {})
        if connection in peer_connections:
            del peer_connections[connection]
            self._count -= 1
            if not peer_connections:
                del self._peers[peer]

    def _make_room(
        self, connections: dict[ClientConnection, None], newest: ClientConnection, reason: str, beyond: int
    ) -> bool:
        """Close one connection, chosen in the order of `Awaits` and then of age; return whether there was one to close."""
        self.record_refused(reason)
        candidates = (connection for connection in connections if connection is not newest)
        oldest = min(candidates, key=lambda connection: connection.awaits, default=None)
        if oldest is not None and oldest.awaits is not Awaits.ANSWER:
            self.remove(oldest)
            oldest.end()
            return True
        if beyond > self._limits.spare:
            newest.end()
        return False
