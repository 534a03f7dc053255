"""Render the templates, and serve the style sheet and the script of the pages."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from sfcode.relay.report import format_duration

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent
STATIC = {"dashboard.css": "text/css; charset=utf-8", "dashboard.js": "text/javascript; charset=utf-8"}
HEADERS = {
    "Cache-Control": "no-store",
    # Pages load nothing from other hosts and have no inline style or script, so that the content of a message cannot
    # act as one.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # Not no-referrer, because browsers would then send forms without the origin, which is checked.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NONE = "\N{EN DASH}"
IMMUTABLE = "public, max-age=31536000, immutable"


def render(name: str, *, status: int = 200, **values: Any) -> Response:
    """Render a template as a response."""
    return HTMLResponse(_environment().get_template(name).render(status=status, **values), status, HEADERS)


async def serve_static(request: Request) -> Response:
    """Serve the style sheet or the script; its URL changes with its content."""
    name = request.path_params["name"]
    if name not in STATIC:
        return PlainTextResponse("Not Found\n", 404)
    is_current = request.query_params.get("v") == _address(name).partition("=")[2]
    caching = IMMUTABLE if is_current else "no-store"
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    return Response(_read(name), 200, headers, STATIC[name])


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Callable[..., str]] = {
        "number": "{:,}".format,
        "seconds": format_seconds,
        "moment": format_moment,
        "machine_time": lambda moment: moment.astimezone(UTC).isoformat(timespec="seconds"),
        "code": mark_code,
        "ago": lambda moment, now: format_duration(max(now - moment, timedelta())),
    }
    environment.filters.update(filters)
    environment.globals["address"] = _address
    return environment


def mark_code(text: str) -> Markup:
    """Return a text as escaped HTML, with text between backticks in `<code>`."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )


def format_seconds(seconds: float | None) -> str:
    """Format a time span, such as 12 ms, 1.5 s or 3 min 20 s; a dash for None."""
    if seconds is None:
        return NONE
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    return f"{seconds:.2g} s" if seconds < 10 else format_duration(timedelta(seconds=seconds))


def format_moment(moment: datetime) -> str:
    """Format a time in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@functools.lru_cache
def _read(name: str) -> bytes:
    return (FOLDER / "static" / name).read_bytes()


@functools.lru_cache
def _address(name: str) -> str:
    return f"/static/{name}?v={hashlib.sha256(_read(name)).hexdigest()[:16]}"
