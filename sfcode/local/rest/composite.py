"""
Several requests in one: composite, graph, batch and tree.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite.htm
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.http.call import DATA, CallRoute, RestCall, answer, check_version, error_answer, route_pair
from sfcode.local.rest import tree
from sfcode.local.store import OrgTransaction, Store, Undo

MAX_SUBREQUESTS = 25
MAX_QUERIES = 5
MAX_NODES = 500
REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)
QUERIES = re.compile(r"/(query(All)?|composite/sobjects)(/|$)")
NOT_INSIDE = re.compile(r"/services/data/[^/]+/jobs(/|$)")
"""Resources of jobs, which are refused here since a job could outlive a request that is rolled back."""
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."

Json = dict[str, Any]
Routes = Sequence[BaseRoute]


def routes(context: OrgContext, subroutes: Routes) -> list[Route]:
    """List the routes of this file; `subroutes` are the routes that subrequests may use."""
    base = f"{DATA}/composite"
    by_path: Mapping[str, Any] = {
        "": {"GET": _resources, "POST": partial(_composite, subroutes=subroutes)},
        "/batch": {"POST": partial(_batch, subroutes=subroutes)},
        "/graph": {"POST": partial(_graph, subroutes=subroutes)},
        "/tree/{object}": {"POST": tree.create},
    }
    return [entry for path, handlers in by_path.items() for entry in route_pair(f"{base}{path}", context, handlers)]


def _resources(call: RestCall) -> Response:
    return answer({name: f"{call.base}/composite/{name}" for name in ("batch", "graph", "sobjects", "tree")})


def _composite(call: RestCall, subroutes: Routes) -> Response:
    body = call.json_object()
    requests = _requests(body.get("compositeRequest"), MAX_SUBREQUESTS)
    if sum(1 for part in requests if QUERIES.search(str(part["url"]).partition("?")[0])) > MAX_QUERIES:
        raise ApiError("LIMIT_EXCEEDED", f"Limit of {MAX_QUERIES} queries and collections in one request exceeded")
    if body.get("allOrNone") is True:
        _, answers = _run_all_or_none(call, subroutes, requests)
    else:
        answers = _in_turn(call, subroutes, requests)
    return answer({"compositeResponse": answers})


def _graph(call: RestCall, subroutes: Routes) -> Response:
    graphs = call.json_object().get("graphs")
    if not isinstance(graphs, list) or not all(isinstance(graph, dict) for graph in graphs):
        raise make_error("bad_json", message="graphs must be a list of objects")
    named_graphs = [(str(item.get("graphId")), _requests(item.get("compositeRequest"), MAX_NODES)) for item in graphs]
    if len({name for name, _ in named_graphs}) < len(named_graphs):
        raise ApiError("INVALID_INPUT", "each graph needs a graphId of its own")
    if sum(len(requests) for _, requests in named_graphs) > MAX_NODES:
        raise ApiError("LIMIT_EXCEEDED", f"Limit of {MAX_NODES} nodes in one request exceeded")
    results = []
    for name, requests in named_graphs:
        good, answers = _run_all_or_none(call, subroutes, requests)
        results.append({"graphId": name, "graphResponse": {"compositeResponse": answers}, "isSuccessful": good})
    return answer({"graphs": results})


def _requests(value: object, maximum: int) -> list[Json]:
    if not isinstance(value, list) or not value or not all(isinstance(part, dict) for part in value):
        raise make_error("bad_json", message="compositeRequest must be a list of objects")
    if len(value) > maximum:
        raise ApiError("LIMIT_EXCEEDED", f"Limit of {maximum} subrequests in one request exceeded")
    names = [part.get("referenceId") for part in value]
    for part, name in zip(value, names, strict=True):
        if not isinstance(name, str) or not REFERENCE_ID.fullmatch(name):
            raise ApiError("INVALID_INPUT", f"The referenceId {name} is not letters, digits and underscores")
        if not isinstance(part.get("method"), str) or not isinstance(part.get("url"), str):
            raise make_error("bad_json", message="a subrequest needs method, url and referenceId")
    if len(set(names)) < len(names):
        raise ApiError("INVALID_INPUT", "Duplicate referenceId: each subrequest needs its own")
    return value


def _run_all_or_none(call: RestCall, subroutes: Routes, requests: list[Json]) -> tuple[bool, list[Json]]:
    """Run subrequests in one transaction, all or nothing; return whether all succeeded, and their responses."""
    good = False
    with call.context.store.transaction() as tx:
        answers = _in_turn(make_inner_call(call, tx), subroutes, requests, until_failure=True)
        good = all(entry["httpStatusCode"] < 300 for entry in answers)
        if not good:
            raise Undo
    if not good:
        errors = [{"errorCode": "PROCESSING_HALTED", "message": ROLLED_BACK}]
        failures = {entry["referenceId"]: entry for entry in answers if entry["httpStatusCode"] >= 300}
        names = [str(entry["referenceId"]) for entry in requests]
        return False, [failures.get(name) or _render(name, SubResponse(400, errors, {})) for name in names]
    return True, answers


def _in_turn(call: RestCall, subroutes: Routes, requests: list[Json], *, until_failure: bool = False) -> list[Json]:
    answers: list[Json] = []
    bodies: dict[str, Any] = {}
    for part in requests:
        name = str(part["referenceId"])
        try:
            url, body = resolve_references(part["url"], bodies), resolve_references(part.get("body"), bodies)
        except UnresolvedError as error:
            message = f"Invalid reference specified. No value for {error.text} found in {error.name}"
            response = SubResponse(400, [{"errorCode": "PROCESSING_HALTED", "message": message}], {})
        else:
            request = Subrequest(part["method"].upper(), url, body, part.get("httpHeaders") or {})
            response = perform(call, subroutes, request)
        if response.good:
            bodies[name] = response.body
        answers.append(_render(name, response))
        if until_failure and not response.good:
            break
    return answers


def _render(name: str, response: SubResponse) -> Json:
    return {
        "body": response.body,
        "httpHeaders": dict(response.headers),
        "httpStatusCode": response.status,
        "referenceId": name,
    }


def _batch(call: RestCall, subroutes: Routes) -> Response:
    body = call.json_object()
    requests = body.get("batchRequests")
    if not isinstance(requests, list) or not all(isinstance(entry, dict) and entry.get("url") for entry in requests):
        raise make_error("bad_json", message="batchRequests must be a list of objects with method and url")
    if len(requests) > MAX_SUBREQUESTS:
        raise ApiError("LIMIT_EXCEEDED", f"Limit of {MAX_SUBREQUESTS} subrequests in one request exceeded")
    results: list[Json] = []
    is_halted = False
    for entry in requests:
        if is_halted:
            message = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}]
            results.append({"statusCode": 412, "result": message})
            continue
        request = Subrequest(str(entry.get("method", "GET")).upper(), str(entry["url"]), entry.get("richInput"))
        response = perform(call, subroutes, request)
        results.append({"statusCode": response.status, "result": response.body})
        is_halted = not response.good and body.get("haltOnError") is True
    return answer({"hasErrors": any(entry["statusCode"] >= 300 for entry in results), "results": results})


REFERENCE = re.compile(r"@\{([^{}]+)\}")
STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class UnresolvedError(Exception):
    """Raised for a reference to a missing value."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.text = text
        self.name = name
        """The reference ID of the subrequest whose response has no such value."""


def resolve_references(value: Any, answers: Mapping[str, Any]) -> Any:
    """Replace the references in all texts of a JSON value. Raises UnresolvedError."""
    if isinstance(value, str):
        reference = REFERENCE.fullmatch(value)
        if reference:
            return _resolve(reference[1], answers)
        return REFERENCE.sub(lambda match: str(_resolve(match[1], answers)), value)
    if isinstance(value, dict):
        return {key: resolve_references(member, answers) for key, member in value.items()}
    if isinstance(value, list):
        return [resolve_references(member, answers) for member in value]
    return value


def _resolve(text: str, answers: Mapping[str, Any]) -> Any:
    steps = [name or int(number) for name, number in STEP.findall(text)]
    name = str(steps[0]) if steps else text
    if name not in answers:
        raise UnresolvedError(text, name)
    value = answers[name]
    for step in steps[1:]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise UnresolvedError(text, name) from None
    if isinstance(value, dict | list):
        raise UnresolvedError(text, name)
    return value


class NestedStore(Store):
    """A store whose transactions are savepoints of an open transaction."""

    def __init__(self, tx: OrgTransaction) -> None:
        self._tx = tx

    @contextlib.contextmanager
    def transaction(self) -> Iterator[OrgTransaction]:
        """Open a savepoint; an exception undoes the changes since then, and is not raised again if it is Undo."""
        with contextlib.suppress(Undo), self._tx.savepoint():
            yield self._tx

    @contextlib.contextmanager
    def read(self) -> Iterator[OrgTransaction]:
        """Read within the open transaction."""
        yield self._tx


@dataclass(frozen=True)
class Subrequest:
    """A request in the body of a composite or batch request."""

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
        """Whether the subrequest succeeded."""
        return self.status < 300


def make_inner_call(call: RestCall, tx: OrgTransaction) -> RestCall:
    """Return a copy of a call that reads and writes in an open transaction."""
    return replace(call, context=replace(call.context, store=NestedStore(tx)))


def perform(call: RestCall, routes: Sequence[BaseRoute], request: Subrequest) -> SubResponse:
    """Call the handler of a subrequest, with the user of the call, and return its response."""
    try:
        return _perform(call, routes, request)
    except ApiError as error:
        refused = error_answer(error, call.base)
        return SubResponse(error.status, json.loads(bytes(refused.body)), {})


def _perform(call: RestCall, routes: Sequence[BaseRoute], request: Subrequest) -> SubResponse:
    parts = urlsplit(request.url)
    path = unquote(parts.path)
    if not path.startswith("/services/data/"):
        path = f"/services/data/{path.lstrip('/')}"
    if NOT_INSIDE.match(path):
        raise ApiError("INVALID_INPUT", f"{request.url} cannot be called inside another request")
    scope = {"type": "http", "path": path, "root_path": "", "method": request.method}
    for candidate in routes:
        match, child_scope = candidate.matches(scope)
        if match is Match.NONE or not isinstance(candidate, CallRoute):
            continue
        version = child_scope["path_params"].get("version")
        check_version(version)
        handler = candidate.handlers.get(request.method)
        if handler is None:
            raise make_error("method_not_allowed", method=request.method, allowed=",".join(candidate.handlers))
        response = handler(
            replace(
                call,
                method=request.method,
                path=child_scope["path_params"],
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={key.lower(): str(value) for key, value in request.headers.items()},
                body=b"" if request.body is None else json.dumps(request.body).encode(),
            )
        )
        content = bytes(response.body)
        headers = {name.title(): value for name, value in response.headers.items() if name == "location"}
        return SubResponse(response.status_code, json.loads(content) if content else None, headers)
    raise make_error("not_found")
