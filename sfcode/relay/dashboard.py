"""The dashboard: queue sizes of both directions, parked messages and why, alarms, processes."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sfcode.hosts import is_loopback
from sfcode.relay.admin_auth import COOKIE, SESSION_SECONDS, AdminAuth
from sfcode.relay.reasons import hint_for
from sfcode.relay.report import STATES, format_age

if TYPE_CHECKING:
    from jinja2 import Template

    from sfcode.relay.inbox import Inbox, InboxStats
    from sfcode.relay.service import Service

VIEW_THREADS = 2
VIEW_SECONDS = 3.0
"""Time limit for each question that a page asks of the inbox."""
FORM_BYTES = 4096
FORM_SECONDS = 5.0
"""Time limit for the form, because an open request occupies a connection."""
WAYS = {"appcues": "Appcues → Salesforce", "salesforce": "Salesforce → Appcues"}
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction."""

    title: str
    waiting: int
    in_hand: int
    oldest: str
    parked: int
    dead: int
    done: int


@dataclass(frozen=True, slots=True)
class StuckMessages:
    """Parked or dead messages of one reason."""

    title: str
    state: str
    reason: str
    count: int
    hint: str


def routes(service: Service, auth: AdminAuth, clock: Callable[[], float]) -> list[Route]:
    """Return the routes of this module."""
    threads = ThreadPoolExecutor(VIEW_THREADS, thread_name_prefix="dashboard")
    inbox = service.inbox.limit_reads(VIEW_SECONDS)
    is_remote = not is_loopback(service.config.settings.host)

    async def page(request: Request) -> Response:
        refusal = auth.refusal(request, clock())
        if refusal is not None:
            return _login_page(request, refusal.status_code, failed=refusal.status_code == 429)
        try:
            # In threads of its own, with a limit of its own: a page takes nothing from delivery.
            content = await asyncio.get_running_loop().run_in_executor(threads, view, inbox)
        except Exception:  # noqa: BLE001 (the page reports it: people open it when something is wrong)
            content = {"ways": (), "stuck": (), "alarms": (), "processes": ()}
        problems = service.problems()
        config = service.config
        return _page(
            "dashboard.html.j2",
            project=config.project,
            config=config.digest,
            problems=problems,
            notes=service.notes(),
            has_session=COOKIE in request.cookies,
            **content,
        )

    async def login(request: Request) -> Response:
        refusal = auth.check(request, await _token(request))
        if refusal is not None:
            return _login_page(request, refusal.status_code, failed=True)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            auth.cookie(clock()),
            SESSION_SECONDS,
            secure=is_remote or _is_https(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def logout(request: Request) -> Response:
        """End all sessions: they are all of the one token."""
        if auth.refusal(request, clock()) is not None:
            return _login_page(request, 401, failed=False)
        await asyncio.to_thread(service.housekeeping.end_sessions, clock())
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    def _login_page(request: Request, status: int, *, failed: bool) -> Response:
        insecure = is_remote and not _is_https(request)
        return _page("login.html.j2", status=status, failed=failed, closed=auth.open, insecure=insecure)

    return [
        Route("/", page, methods=["GET"]),
        Route("/login", login, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
    ]


def view(inbox: Inbox) -> dict[str, Any]:
    """Collect what the page shows."""
    stats = inbox.stats()
    return {
        "ways": [_way(stats, source, title) for source, title in WAYS.items()],
        "stuck": stuck_messages(stats),
        "alarms": inbox.alarms(),
        "processes": inbox.processes(),
    }


def stuck_messages(stats: InboxStats) -> list[StuckMessages]:
    """Return parked and dead messages by reason, most first."""
    groups = [
        StuckMessages(WAYS.get(source, source), state, reason, count, hint_for(reason))
        for (source, state, reason), count in stats.reasons.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.title, group.reason))


def _way(stats: InboxStats, source: str, title: str) -> Direction:
    counts = {state: stats.count(state, source) for state in STATES}
    oldest = format_age(stats.oldest.get(source), stats.now)
    return Direction(title, counts["ready"], counts["leased"], oldest, counts["parked"], counts["dead"], counts["done"])


def _is_https(request: Request) -> bool:
    """Tell whether a browser reached the page over https; a wrong claim harms only its sender."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))


async def _token(request: Request) -> str:
    body = b""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > FORM_BYTES:
                    return ""
    except (TimeoutError, ClientDisconnect):
        return ""
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]


@functools.cache
def _template(name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


@functools.cache
def _style() -> str:
    return (HERE / "dashboard.css").read_text(encoding="utf-8")


@functools.cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _page(name: str, *, status: int = 200, **values: Any) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _policy(),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    return HTMLResponse(_template(name).render(style=_style(), status=status, **values), status, headers)
