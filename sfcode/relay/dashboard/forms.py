"""Read the forms of the pages, and refuse forms that were not sent by a page of the relay."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from sfcode.relay.admin_auth import Principal, is_same_origin

FORM_BYTES = 16_384
FORM_SECONDS = 5.0
"""Time limit for the form, because an open request occupies a connection."""
VIEWER = "Your token is read-only. Changes need an operator's token: sfcode relay token create NAME --role operator"
KEY_FIELD = "form_key"


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form, with the first value of each; {} if the form is too large, too slow or incomplete."""
    body = b""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > FORM_BYTES:
                    return {}
    except (TimeoutError, ClientDisconnect):
        return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def why_refused(request: Request, form: Mapping[str, str], principal: Principal) -> str:
    """Return why a form must be refused; "" if a page of the relay sent it for an operator."""
    if not is_same_origin(request):
        return "The form was sent by another site."
    if not hmac.compare_digest(form.get(KEY_FIELD, "").encode(), principal.form_key.encode()):
        return "The form belongs to an ended session, or is too large. Open the page again."
    if principal.role != "operator":
        return VIEWER
    return ""
