"""Routes that are loaded by the first request for them: a server that is asked for one thing starts without the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class LazyRoutes(BaseRoute):
    """The routes behind a pattern of paths; a path that fits the pattern may still be none of them."""

    def __init__(self, pattern: str, load: Callable[[], Sequence[BaseRoute]]) -> None:
        self._pattern = re.compile(pattern)
        self._load = load
        # One may be behind another.
        self._chosen = f"sfcode.route.{id(self)}"

    @cached_property
    def _routes(self) -> Sequence[BaseRoute]:
        return self._load()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the first route that takes a request wholly, else the first that takes its path."""
        if scope["type"] != "http" or not self._pattern.match(scope["path"]):
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
        """Let the route that was found answer."""
        await scope[self._chosen].handle(scope, receive, send)
