"""Read the forms of the pages, and refuse those that no page of the relay sent."""

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
VIEWER = (
    "Your token may look only. Changes need the token of an operator: sfcode relay token create NAME --role operator"
)
KEY_FIELD = "form_key"


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form, the first value of each; none where it is too large, too slow or cut off."""
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
    """Return why a form must not be carried out; "" for one that a page of the relay sent for an operator."""
    if not is_same_origin(request):
        return "The form was sent by another site."
    if not hmac.compare_digest(form.get(KEY_FIELD, "").encode(), principal.form_key.encode()):
        return "The form is of an ended session, or too large. Open the page again."
    if principal.role != "operator":
        return VIEWER
    return ""
