"""A local GitHub: the part of its REST API that sfcode uses, over real HTTP."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.http_server import serve_handler

LONGEST = 65_536
BOT = "github-actions[bot]"
WRITE = {"contents": "read", "issues": "write", "pull-requests": "write", "actions": "read"}


@dataclass
class Token:
    """The author of a token, and its permissions. The token of a job cannot read its own user."""

    login: str = BOT
    permissions: Mapping[str, str] = field(default_factory=lambda: dict(WRITE))
    may_ask: bool = False

    def may(self, right: str, *kinds: str) -> bool:
        enough = ("read", "write") if right == "read" else ("write",)
        return any(self.permissions.get(kind) in enough for kind in kinds)


@dataclass
class Fault:
    """The answer to the next matching request; with `done`, the request is executed first."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    done: bool = False
    drop: bool = False
    """Whether the connection is closed without a response."""


@dataclass
class State:
    """One repository."""

    repository: str = "acme/crm"
    tokens: dict[str, Token] = field(default_factory=lambda: {"job-token-0123456789": Token()})
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=lambda: {"colleague": "write", "author": "write"})
    """The permission in the repository, by login; all other users may only read."""
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Every request, as `METHOD path`."""
    page: int = 100
    """The maximum number of entries of one page."""
    ticks: int = 0

    def now(self) -> str:
        self.ticks += 1
        return (datetime(2026, 11, 23, 9, tzinfo=UTC) + timedelta(seconds=self.ticks)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def comments_of(self, number: int) -> list[dict[str, Any]]:
        return [comment for comment in self.comments.values() if comment["issue"] == number]

    def add_comment(self, number: int, body: str, login: str = BOT) -> dict[str, Any]:
        comment = {"id": len(self.comments) + 1001, "issue": number, "body": body, "user": {"login": login}}
        comment["created_at"] = comment["updated_at"] = self.now()
        self.comments[comment["id"]] = comment
        return comment

    def add_issue(self, title: str, body: str, login: str = BOT, **more: Any) -> dict[str, Any]:
        number = max([0, *self.issues, *self.pulls]) + 1
        issue = {"number": number, "title": title, "body": body, "state": "open", "user": {"login": login}, **more}
        self.issues[number] = issue
        return issue

    def add_review(self, number: int, login: str, state: str = "APPROVED", association: str = "MEMBER") -> None:
        """Review a pull request as it is now."""
        self.reviews.setdefault(number, []).append(
            {
                "user": {"login": login},
                "state": state,
                "commit_id": self.pulls[number]["head"]["sha"],
                "author_association": association,
                "submitted_at": self.now(),
            }
        )


class Answer(Exception):
    """Raised to send a given response instead of a result."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def route(state: State, token: Token, method: str, path: str, *, query: Mapping[str, str], body: Any) -> Any:
    """Execute one request."""
    for expected, pattern, action in ROUTES:
        match = re.fullmatch(pattern, path)
        if match and expected == method:
            return action(state, token, query, body, *match.groups())
    raise Answer(404, "Not Found")


def need(token: Token, right: str, *kinds: str) -> None:
    if not token.may(right, *kinds):
        raise Answer(403, "Resource not accessible by integration")


def _text(body: Any) -> str:
    if len(body["body"]) > LONGEST:
        raise Answer(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    return str(body["body"])


def _list_comments(state: State, token: Token, query: Any, body: Any, number: str) -> Any:
    need(token, "read", "issues", "pull-requests")
    return state.comments_of(int(number))


def _add_comment(state: State, token: Token, query: Any, body: Any, number: str) -> Any:
    need(token, "write", "issues", "pull-requests")
    return state.add_comment(int(number), _text(body), token.login)


def _edit_comment(state: State, token: Token, query: Any, body: Any, number: str) -> Any:
    need(token, "write", "issues", "pull-requests")
    if int(number) not in state.comments:
        raise Answer(404, "Not Found")
    comment = state.comments[int(number)]
    comment.update(body=_text(body), updated_at=state.now())
    return comment


def _delete_comment(state: State, token: Token, query: Any, body: Any, number: str) -> Any:
    need(token, "write", "issues", "pull-requests")
    if state.comments.pop(int(number), None) is None:
        raise Answer(404, "Not Found")
    return None


def _list_issues(state: State, token: Token, query: Mapping[str, str], body: Any) -> Any:
    need(token, "read", "issues")
    state_filter = query.get("state", "open")
    pulls = [{**pull, "pull_request": {}} for pull in state.pulls.values()]
    listed = [*state.issues.values(), *pulls]
    listed = [issue for issue in listed if state_filter in ("all", issue["state"])]
    return sorted(listed, key=lambda issue: -issue["number"])


def _add_issue(state: State, token: Token, query: Any, body: Any) -> Any:
    need(token, "write", "issues")
    return state.add_issue(body["title"], _text(body), token.login)


def _edit_issue(state: State, token: Token, query: Any, body: Any, number: str) -> Any:
    need(token, "write", "issues")
    issue = state.issues[int(number)]
    issue.update({name: body[name] for name in ("title", "body", "state", "state_reason") if name in body})
    return issue


def _pulls_of(state: State, token: Token, query: Any, body: Any, sha: str) -> Any:
    need(token, "read", "pull-requests")
    return [pull for pull in state.pulls.values() if sha in (pull.get("merge_commit_sha"), pull["head"]["sha"])]


def _reviews(state: State, token: Token, query: Any, body: Any, number: str) -> Any:
    need(token, "read", "pull-requests")
    return state.reviews.get(int(number), [])


def _environment(state: State, token: Token, query: Any, body: Any, name: str) -> Any:
    need(token, "read", "actions")
    if name not in state.environments:
        raise Answer(404, "Not Found")
    return state.environments[name]


def _permission(state: State, token: Token, query: Any, body: Any, login: str) -> Any:
    # https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    return {"permission": state.members.get(login, "read"), "user": {"login": login}}


ROUTES = (
    ("GET", r"issues/(\d+)/comments", _list_comments),
    ("POST", r"issues/(\d+)/comments", _add_comment),
    ("PATCH", r"issues/comments/(\d+)", _edit_comment),
    ("DELETE", r"issues/comments/(\d+)", _delete_comment),
    ("GET", r"issues", _list_issues),
    ("POST", r"issues", _add_issue),
    ("PATCH", r"issues/(\d+)", _edit_issue),
    ("GET", r"commits/(\w+)/pulls", _pulls_of),
    ("GET", r"pulls/(\d+)/reviews", _reviews),
    ("GET", r"environments/([\w-]+)", _environment),
    ("GET", r"collaborators/([\w%-]+)/permission", _permission),
)


@contextmanager
def serve_github(state: State | None = None) -> Iterator[tuple[str, State]]:
    """Serve the repository; yield the URL of the API and the repository."""
    state = state or State()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            data = json.loads(self.rfile.read(size)) if size else None
            with lock:
                self._handle(parts.path, {name: last[-1] for name, last in parse_qs(parts.query).items()}, data)

        do_GET = do_POST = do_PATCH = do_DELETE = do_any

        def _handle(self, path: str, query: dict[str, str], data: Any) -> None:
            state.asked.append(f"{self.command} {self.path}")
            fault = next((f for f in state.faults if f.method == self.command and re.search(f.path, path)), None)
            if fault:
                state.faults.remove(fault)
            if fault is None or fault.done:
                status, answer, headers = self._result(path, query, data)
            if fault and fault.drop:
                self.close_connection = True
                return
            if fault:
                status, answer, headers = fault.status, {"message": fault.message}, dict(fault.headers)
            self._send(status, answer, headers)

        def _result(self, path: str, query: dict[str, str], data: Any) -> tuple[int, Any, dict[str, str]]:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            identity = state.tokens.get(token) if scheme == "Bearer" else None
            if identity is None:
                return 401, {"message": "Bad credentials"}, {}
            if path == "/user":
                if identity.may_ask:
                    return 200, {"login": identity.login}, {}
                return 403, {"message": "Resource not accessible by integration"}, {}
            prefix = f"/repos/{state.repository}/"
            if not path.startswith(prefix):
                return 404, {"message": "Not Found"}, {}
            try:
                result = route(state, identity, self.command, path.removeprefix(prefix), query=query, body=data)
            except Answer as error:
                return error.status, {"message": str(error)}, {}
            if isinstance(result, list):
                return self._page(result, path, query)
            done = {"GET": 200, "PATCH": 200, "POST": 201, "DELETE": 204}[self.command]
            return done, result, {}

        def _page(self, rows: list[Any], path: str, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
            size, number = min(int(query.get("per_page", 30)), state.page), int(query.get("page", 1))
            headers = {}
            if len(rows) > size * number:
                more = "&".join(f"{name}={value}" for name, value in {**query, "page": str(number + 1)}.items())
                headers["Link"] = f'<http://{self.headers["Host"]}{path}?{more}>; rel="next"'
            return 200, rows[size * (number - 1) : size * number], headers

        def _send(self, status: int, answer: Any, headers: Mapping[str, str]) -> None:
            body = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serve_handler(Handler) as url:
        yield url, state
