"""The dashboard: pages to watch the relay, and to search, replay and discard its messages."""

from sfcode.relay.dashboard.routes import VIEW_SECONDS, routes

__all__ = ["VIEW_SECONDS", "routes"]
