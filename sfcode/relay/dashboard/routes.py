"""The routes of the dashboard, who may use each, and how people sign in."""

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
from sfcode.relay.dashboard.forms import read_form, why_refused
from sfcode.relay.dashboard.overview import judge, view
from sfcode.relay.dashboard.rendering import render, serve_static
from sfcode.relay.report import scheduled_status

if TYPE_CHECKING:
    from sfcode.relay.service import Service

T = TypeVar("T")
VIEW_THREADS = 2
VIEW_SECONDS = 3.0
"""Time limit for each question that a page asks of the inbox."""

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
        # In threads of its own, with a limit of its own: a page takes nothing from delivery.
        self._threads = ThreadPoolExecutor(VIEW_THREADS, thread_name_prefix="dashboard")
        self._is_remote = not is_loopback(service.config.settings.host)

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/", self._guard(self._overview), methods=["GET"]),
            Route("/alarms/{id:int}/acknowledge", self._guard_form(self._acknowledge), methods=["POST"]),
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Route("/static/{name}", serve_static, methods=["GET"]),
        ]

    def _guard(self, show: Show) -> Callable[[Request], Awaitable[Response]]:
        """Let people with a token see a page, and others sign in."""

        async def endpoint(request: Request) -> Response:
            principal = await self._auth.admit(request, self._clock())
            if isinstance(principal, Response):
                return self._login_form(request, principal.status_code, failed=principal.status_code == 429)
            return await show(request, principal)

        return endpoint

    def _guard_form(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        """Have a form carried out that a page of the relay sent for an operator."""

        async def endpoint(request: Request) -> Response:
            principal = await self._auth.admit(request, self._clock())
            if isinstance(principal, Response):
                return self._login_form(request, principal.status_code, failed=principal.status_code == 429)
            form = await read_form(request)
            refusal = why_refused(request, form, principal)
            if refusal:
                return self._page("problem.html.j2", principal, status=403, problem=refusal)
            try:
                return await act(request, principal, form)
            except SfcodeError as error:
                return self._page("problem.html.j2", principal, status=503, problem=error.message)

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
            **values,
        )

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
        schedule = service.config.project.settings.relay.schedule
        return self._page(
            "overview.html.j2",
            principal,
            verdict=judge(problems, content["stats"] if content else None, raised),
            problems=problems,
            notes=service.notes(),
            periods=PERIODS.values(),
            period=period,
            content=content,
            schedule=scheduled_status(schedule, content["runs"]) if content else [],
        )

    async def _acknowledge(self, request: Request, _principal: Principal, _form: Mapping[str, str]) -> Response:
        await self._ask(self._service.inbox.acknowledge, [request.path_params["id"]])
        return RedirectResponse("/#alarms", 303)

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
        """End the session; of the admin token, which may be shared by many, all sessions."""
        principal = await self._auth.admit(request, self._clock())
        if isinstance(principal, Response):
            return self._login_form(request, 401, failed=False)
        form = await read_form(request)
        if not is_same_origin(request) or form.get("form_key") != principal.form_key:
            return self._page("problem.html.j2", principal, status=403, problem="The form was sent by another site.")
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


def _is_https(request: Request) -> bool:
    """Tell whether a browser reached the page over https; a wrong claim harms only its sender."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
