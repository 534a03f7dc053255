"""Subrequests: composite resources dispatch them to the same handlers as HTTP requests."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.routing import BaseRoute, Match

from sfcode.local.errors import ApiError, make_error
from sfcode.local.http.call import CallRoute, RestCall, check_version, error_answer
from sfcode.local.store import OrgTransaction, Store, Undo

NOT_INSIDE = re.compile(r"/services/data/[^/]+/jobs(/|$)")
"""Jobs outlive a request, and so could outlive one that is undone."""


class Joined(Store):
    """A store whose transactions are savepoints of an open transaction."""

    def __init__(self, tx: OrgTransaction) -> None:
        self._tx = tx

    @contextlib.contextmanager
    def transaction(self) -> Iterator[OrgTransaction]:
        """Open a savepoint; an exception rolls back to it, Undo silently."""
        with contextlib.suppress(Undo), self._tx.savepoint():
            yield self._tx

    @contextlib.contextmanager
    def read(self) -> Iterator[OrgTransaction]:
        """Read within the open transaction."""
        yield self._tx


@dataclass(frozen=True)
class Inner:
    """A subrequest."""

    method: str
    url: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SubResponse:
    """The response to a subrequest."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def good(self) -> bool:
        """Return whether the subrequest succeeded."""
        return self.status < 300


def make_inner_call(call: RestCall, tx: OrgTransaction) -> RestCall:
    """Build a call whose subrequests share one transaction."""
    return replace(call, context=replace(call.context, store=Joined(tx)))


def perform(call: RestCall, routes: Sequence[BaseRoute], request: Inner) -> SubResponse:
    """Run a subrequest of another request's body."""
    try:
        return _perform(call, routes, request)
    except ApiError as error:
        refused = error_answer(error, call.base)
        return SubResponse(error.status, json.loads(bytes(refused.body)), {})


def _perform(call: RestCall, routes: Sequence[BaseRoute], request: Inner) -> SubResponse:
    parts = urlsplit(request.url)
    path = unquote(parts.path)
    if not path.startswith("/services/data/"):
        path = f"/services/data/{path.lstrip('/')}"
    if NOT_INSIDE.match(path):
        raise ApiError("INVALID_INPUT", f"{request.url} cannot be called inside another request")
    scope = {"type": "http", "path": path, "root_path": "", "method": request.method}
    for route in routes:
        match, found = route.matches(scope)
        if match is Match.NONE or not isinstance(route, CallRoute):
            continue
        version = found["path_params"].get("version")
        check_version(version)
        handler = route.handlers.get(request.method)
        if handler is None:
            raise make_error("method_not_allowed", method=request.method, allowed=",".join(route.handlers))
        response = handler(
            replace(
                call,
                method=request.method,
                path=found["path_params"],
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={key.lower(): str(value) for key, value in request.headers.items()},
                body=b"" if request.body is None else json.dumps(request.body).encode(),
            )
        )
        content = bytes(response.body)
        kept = {name.title(): value for name, value in response.headers.items() if name == "location"}
        return SubResponse(response.status_code, json.loads(content) if content else None, kept)
    raise make_error("not_found")
