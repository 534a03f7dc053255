"""Read a captured webhook from a file, such as the export of a request bin, or from the inbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sfcode.config.webhook_models import WebhookPaths
from sfcode.errors import UsageError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.appcues_payload import Enclosed, find_events
from sfcode.relay.ingress.limits import IngressLimits
from sfcode.relay.ingress.responses import HttpError
from sfcode.relay.ingress.strict_json import loads

_BODIES = ("body", "content", "rawBody", "text", "data")
"""Keys under which exports hold the body."""


@dataclass(frozen=True, slots=True)
class CapturedWebhook:
    """A webhook as it was received."""

    body: object
    """Parsed JSON of the whole body, or of one event from it."""
    enclosing: tuple[Mapping[str, Any], ...] = ()
    """The objects that enclose the event in its body, if it is one event."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers by name in lower case: their values if read from a file, their shapes if from a stored message."""
    text: str | None = None
    """The exact body if known, from which signatures are computed."""

    def events(self, paths: WebhookPaths) -> list[Enclosed]:
        """Return the events of the webhook, by the paths of a config."""
        return [(self.body, self.enclosing)] if self.enclosing else list(find_events(self.body, paths))


def read_capture(text: str) -> CapturedWebhook:
    """
    Read the text of a file: a body, a request with its headers, or the JSON or HAR export of a request bin.

    Raises:
        UsageError: The text contains no JSON body.

    """
    text = text.removeprefix("\ufeff").strip()
    parts = re.split(r"\r?\n\r?\n", text, maxsplit=1)
    if len(parts) > 1 and not text.startswith(("{", "[")):
        return _with_headers(parts[1].strip(), dict(_header_lines(parts[0])))
    document = _parse(text)
    request = _find_request(document)
    if request is None:
        return CapturedWebhook(document, text=text)
    return _with_headers(_find_body(request), dict(_headers(request.get("headers"))))


def stored_capture(payload: Mapping[str, Any]) -> CapturedWebhook | None:
    """Return the webhook of a message in the inbox; None if the message is not from a webhook."""
    for key in ("received", "event"):
        if key in payload:
            enclosing = tuple(container for container in payload.get("envelope", ()) if isinstance(container, Mapping))
            return CapturedWebhook(payload[key], enclosing, payload.get("headers", {}))
    raw = payload.get("raw")  # messages of earlier versions of sfcode
    try:
        return CapturedWebhook(_parse(raw)) if isinstance(raw, str) and raw else None
    except UsageError:
        return None


def _with_headers(body: object, headers: Mapping[str, str]) -> CapturedWebhook:
    if isinstance(body, str):
        return CapturedWebhook(_parse(body), headers=headers, text=body)
    return CapturedWebhook(body, headers=headers)


def _parse(text: str) -> object:
    try:
        return loads(text, IngressLimits())
    except HttpError as error:
        raise UsageError(
            f"This is not a webhook: the relay would refuse its body ({error.reason}).",
            "Pass the JSON body, or a whole request with its headers, as a request bin shows or exports it.",
        ) from None


def _find_request(document: object) -> Mapping[str, Any] | None:
    """Return the request in an export; None if the document is itself a body."""
    if not isinstance(document, Mapping):
        return None
    entries = document.get("log", {}).get("entries") if isinstance(document.get("log"), Mapping) else None
    if isinstance(entries, list) and entries and isinstance(entries[-1], Mapping):
        request = entries[-1].get("request")
        return request if isinstance(request, Mapping) else None
    has_body = any(key in document for key in (*_BODIES, "postData"))
    return document if has_body and isinstance(document.get("headers"), Mapping | list) else None


def _find_body(request: Mapping[str, Any]) -> object:
    posted = request.get("postData")
    if isinstance(posted, Mapping):
        return posted.get("text")
    return next((request[key] for key in _BODIES if request.get(key) is not None), None)


def _headers(headers: object) -> Iterator[tuple[str, str]]:
    if isinstance(headers, Mapping):
        for name, value in headers.items():
            yield str(name).lower(), str(value[0] if isinstance(value, list) and value else value)
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, Mapping):
            yield str(header.get("name", "")).lower(), str(header.get("value", ""))


def _header_lines(head: str) -> Iterator[tuple[str, str]]:
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if colon and " " not in name.strip():
            yield name.strip().lower(), value.strip()


def render_paths(paths: Mapping[str, tuple[str, ...]]) -> str:
    """Render proposed paths as lines of `sfcode.yaml`."""
    if not paths:
        return ""
    lines = (f"    {key}: {_scalar(places[0]) if len(places) == 1 else _list(places)}" for key, places in paths.items())
    return "\n".join(("appcues:", "  webhook:", *lines))


def render_auth(auth: Mapping[str, Any] | None) -> str:
    """Render a proposed `webhook_auth` as lines of `sfcode.yaml`."""
    if not auth or not auth["settings"]:
        return ""
    lines = (f"    {key}: {_scalar(value)}" for key, value in auth["settings"].items())
    return "\n".join(("relay:", "  webhook_auth:", *lines))


def render_aliases(aliases: Mapping[str, Mapping[str, Any]]) -> str:
    """Render proposed aliases as lines of `events.yaml`."""
    lines = ["aliases:"]
    for name, alias in aliases.items():
        lines += [f"  {_scalar(name)}:", f"    as: {alias['as']}"]
        if alias["attributes"]:
            pairs = (f"{attribute}: {_scalar(key)}" for attribute, key in alias["attributes"].items())
            lines.append(f"    attributes: {{{', '.join(pairs)}}}")
    return "\n".join(lines)


def _list(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_scalar, values))}]"


def _scalar(value: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", value)
    return value if plain and value.lower() not in ("true", "false", "null") else json.dumps(value, ensure_ascii=False)
