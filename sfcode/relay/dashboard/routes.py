"""The routes of the dashboard, their required roles, and the sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

import sfcode
from sfcode.errors import SfcodeError
from sfcode.hosts import is_loopback
from sfcode.relay.admin_auth import ADMIN_NAME, COOKIE, SESSION_SECONDS, AdminAuth, Principal, is_same_origin
from sfcode.relay.dashboard.figures import PERIODS
from sfcode.relay.dashboard.forms import VIEWER, read_form, why_refused
from sfcode.relay.dashboard.messages import (
    PAGE,
    STATE_WORDS,
    Search,
    describe_selection,
    explain,
    find_messages,
    link_records,
    read_search,
    render_payload,
    search_for_text,
    search_of,
)
from sfcode.relay.dashboard.overview import TITLES, judge, view
from sfcode.relay.dashboard.pause_targets import SCOPES, list_targets, read_target
from sfcode.relay.dashboard.rendering import render, serve_static
from sfcode.relay.inbox.admin import DISCARDABLE
from sfcode.relay.inbox.search import MessageCount
from sfcode.relay.inbox.types import ACTIONS, ChangeAction
from sfcode.relay.report import ApiStatus, describe_api_calls, scheduled_status

if TYPE_CHECKING:
    from sfcode.relay.service import Service

T = TypeVar("T")
VIEW_THREADS = 2
VIEW_SECONDS = 3.0
"""Time limit for each query of a page, in seconds."""

LARGEST_ID = 2**63 - 1
"""The largest integer of the databases."""
REPLAYABLE = ("parked", "dead", "done", "ready")

Show = Callable[[Request, Principal], Awaitable[Response]]
Act = Callable[[Request, Principal, Mapping[str, str]], Awaitable[Response]]


def routes(service: Service, auth: AdminAuth, clock: Callable[[], float]) -> list[Route]:
    """Return the routes of this package."""
    return Dashboard(service, auth, clock).routes()


class Dashboard:
    """The pages of one process."""

    def __init__(self, service: Service, auth: AdminAuth, clock: Callable[[], float]) -> None:
        self._service = service
        self._auth = auth
        self._clock = clock
        self._inbox = service.inbox.limit_reads(VIEW_SECONDS)
        # A separate thread pool with its own time limit, so that pages do not slow down deliveries.
        self._threads = ThreadPoolExecutor(VIEW_THREADS, thread_name_prefix="dashboard")
        self._is_remote = not is_loopback(service.config.settings.host)

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/", self._guard(self._overview), methods=["GET"]),
            Route("/alarms/{id:int}/acknowledge", self._guard_form(self._acknowledge), methods=["POST"]),
            Route("/find", self._guard(self._find), methods=["GET"]),
            Route("/messages", self._guard(self._messages), methods=["GET"]),
            Route("/messages/change", self._guard(self._preview), methods=["GET"]),
            Route("/messages/change", self._guard_form(self._change), methods=["POST"]),
            Route("/messages/{id:int}", self._guard(self._message), methods=["GET"]),
            Route("/changes/{id:int}", self._guard(self._progress), methods=["GET"]),
            Route("/changes/{id:int}/stop", self._guard_form(self._stop_change), methods=["POST"]),
            Route("/pauses/new", self._guard(self._preview_pause), methods=["GET"]),
            Route("/pauses", self._guard_form(self._pause), methods=["POST"]),
            Route("/resumes", self._guard_form(self._resume), methods=["POST"]),
            Route("/audit", self._guard(self._audit), methods=["GET"]),
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Route("/static/{name}", serve_static, methods=["GET"]),
        ]

    def _guard(self, show: Show) -> Callable[[Request], Awaitable[Response]]:
        """Show a page to people with a token, and the sign-in form to others."""

        async def endpoint(request: Request) -> Response:
            principal = await self._auth.admit(request, self._clock())
            if isinstance(principal, Response):
                return self._login_form(request, principal.status_code, failed=principal.status_code == 429)
            try:
                return await show(request, principal)
            except SfcodeError as error:
                return self._problem(principal, error.message, status=503)

        return endpoint

    def _guard_form(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        """Carry out a form if a page of the relay sent it for an operator; refuse any other."""

        async def endpoint(request: Request) -> Response:
            principal = await self._auth.admit(request, self._clock())
            if isinstance(principal, Response):
                return self._login_form(request, principal.status_code, failed=principal.status_code == 429)
            form = await read_form(request)
            refusal = why_refused(request, form, principal)
            if refusal:
                return self._problem(principal, refusal, status=403)
            try:
                return await act(request, principal, form)
            except SfcodeError as error:
                return self._problem(principal, error.message, status=503)

        return endpoint

    async def _ask(self, question: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, question, *values)

    def _page(self, name: str, principal: Principal, **values: Any) -> Response:
        config = self._service.config
        return render(
            name,
            principal=principal,
            project=config.project,
            config=config.digest,
            version=sfcode.__version__,
            directions=TITLES,
            states=STATE_WORDS,
            **values,
        )

    def _problem(self, principal: Principal, problem: str, *, status: int) -> Response:
        return self._page("problem.html.j2", principal, status=status, problem=problem)

    async def _overview(self, request: Request, principal: Principal) -> Response:
        period = PERIODS.get(request.query_params.get("period", ""), PERIODS["hour"])
        service = self._service
        content: dict[str, Any] | None
        try:
            content = await self._ask(view, self._inbox, period)
        except Exception:  # noqa: BLE001 (the page reports it: people open it when something is wrong)
            content = None
        problems = service.problems()
        raised = [alarm for alarm, _ in content["alarms"]] if content else []
        settings = service.config.project.settings.relay
        return self._page(
            "overview.html.j2",
            principal,
            verdict=judge(
                problems, content["stats"] if content else None, raised, content["pauses"] if content else ()
            ),
            problems=problems,
            notes=service.notes(),
            targets=list_targets(service.config.project),
            periods=PERIODS.values(),
            period=period,
            content=content,
            budget=describe_api_calls(ApiStatus(settings.api_calls_per_day, content["api_calls"])) if content else [],
            schedule=scheduled_status(settings.schedule, content["runs"]) if content else [],
        )

    async def _acknowledge(self, request: Request, principal: Principal, _form: Mapping[str, str]) -> Response:
        await self._ask(self._service.inbox.acknowledge, [request.path_params["id"]], principal.name)
        return RedirectResponse("/", 303)

    async def _find(self, request: Request, _principal: Principal) -> Response:
        """Show the messages of a user or a record, whichever was typed."""
        search = await self._ask(search_for_text, self._inbox, request.query_params.get("text", "").strip())
        return RedirectResponse(f"/messages?{search.query}", 303)

    async def _messages(self, request: Request, principal: Principal) -> Response:
        search = read_search(request.query_params)
        before = request.query_params.get("before", "")
        page, problem = None, ""
        try:
            choice = search.parse()
        except ValueError as error:
            problem = str(error)
        else:
            page = await self._ask(find_messages, self._inbox, choice, _number(before))
        reasons = page.reasons if page else ()
        status = 400 if problem else 200
        return self._page(
            "messages.html.j2", principal, status=status, search=search, page=page, problem=problem, reasons=reasons
        )

    async def _message(self, request: Request, principal: Principal) -> Response:
        message = await self._ask(self._inbox.find, min(request.path_params["id"], LARGEST_ID))
        if message is None:
            return self._problem(principal, "There is no such message: it may have been purged.", status=404)
        entry = message.entry
        return self._page(
            "message.html.j2",
            principal,
            entry=entry,
            history=message.history,
            records=link_records(message.records, self._service.instance_url),
            meaning=explain(entry),
            payload=render_payload(entry) if principal.role == "operator" else "",
        )

    async def _preview(self, request: Request, principal: Principal) -> Response:
        """Show how many messages a change would concern, with the form that confirms it."""
        search, action = read_search(request.query_params), _action(request.query_params)
        refusal = _why_no_change(search, action) or ("" if principal.role == "operator" else VIEWER)
        if refusal or action is None:
            return self._problem(principal, refusal, status=400)
        count = await self._ask(self._inbox.count, search.parse())
        return self._page(
            "change.html.j2",
            principal,
            action=action,
            search=search,
            count=count.number,
            is_more=count.is_partial,
            selection=describe_selection(search),
        )

    async def _change(self, _request: Request, principal: Principal, form: Mapping[str, str]) -> Response:
        search, action = read_search(form), _action(form)
        refusal = _why_no_change(search, action)
        if refusal or action is None:
            return self._problem(principal, refusal, status=400)
        id_ = await self._ask(self._service.bulk_changes.begin, action, search.parse(), principal.name)
        return RedirectResponse(f"/changes/{id_}", 303)

    async def _stop_change(self, request: Request, principal: Principal, _form: Mapping[str, str]) -> Response:
        id_ = min(request.path_params["id"], LARGEST_ID)
        await self._ask(self._service.inbox.bulk_changes.stop, id_, principal.name)
        return RedirectResponse(f"/changes/{id_}", 303)

    async def _progress(self, request: Request, principal: Principal) -> Response:
        change = await self._ask(self._inbox.bulk_changes.find, min(request.path_params["id"], LARGEST_ID))
        if change is None:
            text = "There is no such change, or it ended more than a week ago. The audit has all changes."
            return self._problem(principal, text, status=404)
        matching, stats = await asyncio.gather(
            self._ask(self._inbox.count, change.choice), self._ask(self._inbox.stats)
        )
        search = search_of(change.choice)
        selection = describe_selection(search)
        is_hidden = bool(search.user) and principal.role != "operator"
        return self._page(
            "progress.html.j2",
            principal,
            change=change,
            state=search.state,
            query="" if is_hidden else search.query,
            selection=[(label, "one person" if is_hidden and label == "User" else value) for label, value in selection],
            matching=matching,
            waiting=stats.count("ready") + stats.count("leased"),
        )

    async def _preview_pause(self, request: Request, principal: Principal) -> Response:
        target = read_target(request.query_params.get("target", ""), self._service.config.project)
        if target is None or principal.role != "operator":
            return self._problem(principal, VIEWER if target else "There is no such mapping.", status=400)
        stats = await self._ask(self._inbox.stats)
        counted = MessageCount(stats.count("ready"))
        if target.messages:
            counted = await self._ask(self._inbox.count, target.messages, ("ready",))
        return self._page("pause.html.j2", principal, target=target, waiting=counted.number, is_more=counted.is_partial)

    async def _pause(self, _request: Request, principal: Principal, form: Mapping[str, str]) -> Response:
        target = read_target(form.get("target", ""), self._service.config.project)
        if target is None:
            return self._problem(principal, "There is no such mapping.", status=400)
        await self._ask(self._service.inbox.pause, target.scope, target.name, principal.name)
        return RedirectResponse("/#pauses", 303)

    async def _resume(self, _request: Request, principal: Principal, form: Mapping[str, str]) -> Response:
        # A pause may also be for a mapping that has been removed from the config.
        scope, _, name = form.get("target", "").partition(":")
        scope_name = next((item for item in SCOPES if item == scope), None)
        if scope_name is not None:
            await self._ask(self._service.inbox.resume, scope_name, name, principal.name)
        return RedirectResponse("/#pauses", 303)

    async def _audit(self, request: Request, principal: Principal) -> Response:
        before = _number(request.query_params.get("before", ""))
        lines = await self._ask(self._inbox.audit_lines, PAGE + 1, before)
        next_before = lines[PAGE - 1].id if len(lines) > PAGE else None
        return self._page("audit.html.j2", principal, lines=lines[:PAGE], next_before=next_before)

    async def _login_page(self, request: Request) -> Response:
        return self._login_form(request, 200, failed=False)

    async def _login(self, request: Request) -> Response:
        secret = (await read_form(request)).get("token", "").strip()
        if not is_same_origin(request):
            return self._login_form(request, 403, failed=False)
        try:
            principal = await self._auth.check(request, secret)
            if isinstance(principal, Response):
                return self._login_form(request, principal.status_code, failed=True)
            cookie = await self._auth.begin_session(principal, self._clock())
        except SfcodeError:
            return self._login_form(request, 503, failed=False)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            cookie,
            SESSION_SECONDS,
            secure=self._is_remote or _is_https(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _logout(self, request: Request) -> Response:
        """End the session; for the admin token, which several people may share, end all sessions."""
        principal = await self._auth.admit(request, self._clock())
        if isinstance(principal, Response):
            return self._login_form(request, 401, failed=False)
        form = await read_form(request)
        if not is_same_origin(request) or form.get("form_key") != principal.form_key:
            return self._problem(principal, "The form was sent by another site.", status=403)
        if principal.name == ADMIN_NAME:
            await self._ask(self._service.housekeeping.end_sessions, self._clock())
        else:
            await self._auth.end_session(request)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    def _login_form(self, request: Request, status: int, *, failed: bool) -> Response:
        insecure = self._is_remote and not _is_https(request)
        return render("login.html.j2", status=status, failed=failed, insecure=insecure)


def _action(values: Mapping[str, str]) -> ChangeAction | None:
    return next((action for action in ACTIONS if action == values.get("action")), None)


def _why_no_change(search: Search, action: ChangeAction | None) -> str:
    """Return why a change of a selection is not possible; "" if it is."""
    if action is None:
        return "Choose replay or discard."
    if search.is_empty:
        return "Choose messages first, by a condition."
    try:
        state = search.parse().state
    except ValueError as error:
        return str(error)
    changeable = REPLAYABLE if action == "replay" else DISCARDABLE
    if state is not None and state not in changeable:
        return f"Messages in the state {state} cannot be {'replayed' if action == 'replay' else 'discarded'}."
    return ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _is_https(request: Request) -> bool:
    """Return whether a browser requested the page over https; a false header harms only its sender."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
