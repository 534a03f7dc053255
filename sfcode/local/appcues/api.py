"""
Version 2 of Appcues' HTTP API, as far as an integration uses it: user and group profiles, events, lists.

https://api.appcues.com/v2/docs and https://github.com/appcues/cli
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

from sfcode.local.appcues.call import AppcuesApiError, AppcuesCall, Route, success
from sfcode.local.appcues.state import Kind
from sfcode.local.appcues.values import RESERVED, accepted_attributes

BASE = "/v2/accounts/{account}"
LISTS = ("checklists", "flows", "segments", "tags")
MAX_NAME_LENGTH = 127
MAX_EVENTS = 1000


def routes() -> list[Route]:
    """List the routes of the API."""
    profiles: list[Route] = []
    kinds: tuple[Kind, ...] = ("user", "group")
    for kind in kinds:
        path = f"{BASE}/{kind}s/{{id}}/profile"
        profiles.append(("GET", path, partial(_profile, kind)))
        profiles.append(("PATCH", path, partial(_change, kind)))
    return [
        *profiles,
        ("DELETE", f"{BASE}/users/{{id}}/profile", _delete),
        ("GET", f"{BASE}/users/{{id}}/events", _events),
        ("POST", f"{BASE}/users/{{id}}/events", _track),
        ("POST", f"{BASE}/groups/{{id}}/users", _join),
        *(("GET", f"{BASE}/{name}", _no_content) for name in LISTS),
    ]


def _profile(kind: Kind, call: AppcuesCall) -> Response:
    id_ = call.parts[1]
    attributes = call.account.state.profile(kind, id_)
    if attributes is None:
        raise AppcuesApiError(404, f"{kind} not found")
    return JSONResponse({f"{kind}_id": id_, **attributes})


def _change(kind: Kind, call: AppcuesCall) -> Response:
    attributes = call.json_object()
    reserved_names = sorted(name for name in attributes if name.startswith(RESERVED))
    if reserved_names:
        raise AppcuesApiError(400, f"{reserved_names[0]} is reserved")
    call.account.state.change_profile(kind, call.parts[1], accepted_attributes(attributes))
    return success()


def _delete(call: AppcuesCall) -> Response:
    call.account.state.delete_profile("user", call.parts[1])
    return Response(status_code=204)


def _events(call: AppcuesCall) -> Response:
    limit = call.query.get("limit", "100")
    if not limit.isdecimal() or not 1 <= int(limit) <= MAX_EVENTS:
        raise AppcuesApiError(400, f"limit must be a number from 1 to {MAX_EVENTS}")
    return JSONResponse(call.account.state.events(call.parts[1], int(limit)))


def _track(call: AppcuesCall) -> Response:
    body = call.json_object()
    name, stamp = body.get("name"), body.get("timestamp")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise AppcuesApiError(400, f"name must be a text of 1 to {MAX_NAME_LENGTH} characters")
    if not isinstance(stamp, str) or not _is_time(stamp):
        raise AppcuesApiError(400, "timestamp must be a time as RFC 3339 has it")
    attributes = body.get("attributes", {})
    if not isinstance(attributes, dict):
        raise AppcuesApiError(400, "attributes must be an object")
    event: dict[str, Any] = {
        "event_id": str(uuid.UUID(int=call.account.rng.getrandbits(128), version=4)),
        "user_id": call.parts[1],
        "group_id": body.get("group_id"),
        "name": name,
        "timestamp": stamp,
        "attributes": accepted_attributes(attributes),
    }
    call.account.state.add_events([event])
    return success(202)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _join(call: AppcuesCall) -> Response:
    user_ids = call.json_object().get("user_ids")
    if not isinstance(user_ids, list) or not all(isinstance(user_id, str) and user_id for user_id in user_ids):
        raise AppcuesApiError(400, "user_ids must be a list of texts")
    call.account.state.add_members(call.parts[1], user_ids)
    return success()


def _no_content(_call: AppcuesCall) -> Response:
    return JSONResponse([])
