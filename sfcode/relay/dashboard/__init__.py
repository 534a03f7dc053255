"""The dashboard: pages on which people see, search and repair what the relay carries. Rendered here, with nothing from elsewhere."""

from sfcode.relay.dashboard.routes import VIEW_SECONDS, routes

__all__ = ["VIEW_SECONDS", "routes"]
