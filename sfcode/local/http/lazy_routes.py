"""Routes that are imported at the first request, so that a server starts without APIs that are not used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class LazyRoutes(BaseRoute):
    """
    The routes of a module, from its function `routes`, behind a path pattern.

    A path that matches the pattern may still match none of the routes.
    """

    def __init__(self, pattern: str, module: str, *arguments: object) -> None:
        self._pattern, self._module, self._arguments = pattern, module, arguments
        # The key contains the ID of this object, since one lazy route may contain another.
        self._chosen = f"sfcode.route.{id(self)}"

    @cached_property
    def _routes(self) -> Sequence[BaseRoute]:
        routes: Sequence[BaseRoute] = import_module(self._module).routes(*self._arguments)
        return routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return the first route that matches path and method, otherwise the first that matches the path."""
        if scope["type"] != "http" or not re.match(self._pattern, scope["path"]):
            return Match.NONE, {}
        partly: tuple[Match, Scope] = (Match.NONE, {})
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, self._chosen: route}
            if match is Match.PARTIAL and partly[0] is Match.NONE:
                partly = match, {**child, self._chosen: route}
        return partly

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the route that matched."""
        await scope[self._chosen].handle(scope, receive, send)
