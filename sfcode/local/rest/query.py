"""SOQL queries, in pages of up to 2,000 rows."""

from __future__ import annotations

import threading
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.context import OrgContext
from sfcode.local.errors import make_error
from sfcode.local.http.call import DATA, RestCall, answer, route, route_pair

if TYPE_CHECKING:
    from sfcode.local.soql.execute import Result

PAGE = 2000
SMALLEST_PAGE = 200
MAX_CURSORS = 20


@dataclass(frozen=True)
class Cursor:
    """The remaining rows of a query."""

    records: list[dict[str, Any]]
    page: int


class Cursors:
    """The open cursors of this process; a new one replaces the oldest, as in an org."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Cursor] = {}
        self._numbers = count(1)

    def add(self, cursor: Cursor) -> str:
        """Store a cursor and return its name."""
        with self._lock:
            name = ids.nth("0r8", next(self._numbers))
            self._open[name] = cursor
            if len(self._open) > MAX_CURSORS:
                del self._open[next(iter(self._open))]
            return name

    def get(self, name: str) -> Cursor | None:
        """Find a cursor."""
        return self._open.get(name)


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    cursors = Cursors()

    query_routes: list[Route] = []
    for name, with_deleted in (("query", False), ("queryAll", True)):
        query = partial(_query, cursors=cursors, with_deleted=with_deleted)
        query_routes += route_pair(f"{DATA}/{name}", context, {"GET": query})
        query_routes.append(route(f"{DATA}/{name}/{{locator}}", context, {"GET": partial(_more, cursors=cursors)}))
    return query_routes


def _query(call: RestCall, cursors: Cursors, *, with_deleted: bool) -> Response:
    # lark is slow to import, and not every run needs a query.
    from sfcode.local.soql.columns import columns
    from sfcode.local.soql.execute import run
    from sfcode.local.soql.parser import parse
    from sfcode.local.soql.scope import World

    text = call.query.get("q")
    if not text:
        raise make_error("malformed_query", message="A query string has to be specified")
    with call.context.store.read() as tx:
        if call.query.get("columns") == "true":
            view = call.view(tx)
            return answer(columns(parse(text), World(view.catalog, view.rows, text)))
        result = run(text, tx, call.context.clock.now(), call.base, call.session.user_id, with_deleted=with_deleted)
    call.context.store.index(tx.records.missing_indexes)
    return answer(_first_page(call, result, cursors))


def _first_page(call: RestCall, result: Result, cursors: Cursors) -> dict[str, Any]:
    size = _page_size(call)
    if len(result.records) <= size:
        return {"totalSize": result.total, "done": True, "records": result.records}
    name = cursors.add(Cursor(result.records, size))
    return _page(call, name, result.records, 0, size)


def _more(call: RestCall, cursors: Cursors) -> Response:
    name, _, start = call.path["locator"].partition("-")
    cursor = cursors.get(name)
    if cursor is None or not start.isdigit():
        raise make_error("invalid_locator")
    return answer(_page(call, name, cursor.records, int(start), cursor.page))


def _page(call: RestCall, name: str, records: list[dict[str, Any]], start: int, size: int) -> dict[str, Any]:
    end = start + size
    page: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records)}
    if not page["done"]:
        page["nextRecordsUrl"] = f"{call.base}/query/{name}-{end}"
    return page | {"records": records[start:end]}


def _page_size(call: RestCall) -> int:
    _, equals, size = call.headers.get("sforce-query-options", "").replace(" ", "").partition("batchSize=")
    return min(PAGE, max(SMALLEST_PAGE, int(size))) if equals and size.isdigit() else PAGE
