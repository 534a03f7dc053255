"""
Control routes that no org has: advance the clock, arm faults, read the queues, register apps, hand out access tokens.

They require the administrator's token, which `serve` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local import auth
from sfcode.local.automation.delivery import Deliveries
from sfcode.local.clock import OffsetClock, stamp
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error
from sfcode.local.faults import KINDS, BadFault, from_json
from sfcode.local.http.call import Handler, RestCall, answer, no_content, route
from sfcode.local.signin.apps import parse_app

BASE = "/services/sfcode"
SECRETS = frozenset({"consumer_secret"})
MAX_ADVANCE = timedelta(days=366)


def routes(context: OrgContext, deliveries: Deliveries) -> list[Route]:
    """List the control routes."""
    handlers: Mapping[str, Mapping[str, Handler]] = {
        "/apps": {"GET": _apps, "POST": _register},
        "/apps/{key}": {"DELETE": _forget},
        "/automation-log": {"GET": _log},
        "/clock": {"GET": _clock, "POST": partial(_advance, deliveries=deliveries)},
        "/deliveries": {"POST": lambda _call: answer(deliveries.deliver().json())},
        "/faults": {"GET": _faults, "POST": _arm, "DELETE": _clear},
        "/faults/{id:int}": {"DELETE": _disarm},
        "/outbound-messages": {"GET": _queue},
        "/tokens": {"POST": _token},
    }
    return [
        route(BASE + path, context, {method: _administrator_only(handler) for method, handler in methods.items()})
        for path, methods in handlers.items()
    ]


def _administrator_only(handler: Handler) -> Handler:
    def handle(call: RestCall) -> Response:
        with call.context.store.read() as tx:
            administrator = tx.settings.get("admin_id")
        if call.session.user_id != administrator:
            raise make_error("forbidden")
        return handler(call)

    return handle


def _log(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        return answer({"entries": [asdict(entry) for entry in tx.automation_log.list_all()]})


def _queue(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        names = {stored.id: stored.component.full_name for stored in tx.components.list_all("WorkflowOutboundMessage")}
        notifications = [asdict(row) | {"action": names.get(row.action_id)} for row in tx.notifications.list_all()]
    return answer({"notifications": notifications})


def _clock(call: RestCall) -> Response:
    return answer(_time(call.context))


def _advance(call: RestCall, deliveries: Deliveries) -> Response:
    seconds = call.json_object().get("advance")
    most = MAX_ADVANCE.total_seconds()
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= most:
        raise ApiError("INVALID_FIELD", f"advance is a number of seconds from 0 to {most:.0f}")
    clock = call.context.clock
    if not isinstance(clock, OffsetClock):
        raise make_error("not_found")
    clock.advance(timedelta(seconds=seconds))
    with call.context.store.transaction() as tx:
        tx.settings.set(OffsetClock.KEY, str(clock.offset.total_seconds()))
    return answer(_time(call.context) | {"deliveries": deliveries.deliver().json()})


def _time(context: OrgContext) -> dict[str, Any]:
    clock = context.clock
    offset = clock.offset.total_seconds() if isinstance(clock, OffsetClock) else 0.0
    return {"now": stamp(clock.now()), "advanced": offset}


def _faults(call: RestCall) -> Response:
    return answer({"faults": call.context.faults.list(), "kinds": KINDS})


def _arm(call: RestCall) -> Response:
    try:
        fault = from_json(call.json())
    except BadFault as error:
        raise ApiError("INVALID_FIELD", str(error)) from error
    return answer(call.context.faults.arm(fault).json(), 201)


def _clear(call: RestCall) -> Response:
    return answer({"cleared": call.context.faults.clear()})


def _disarm(call: RestCall) -> Response:
    if not call.context.faults.clear([int(call.path["id"])]):
        raise make_error("not_found")
    return no_content()


def _register(call: RestCall) -> Response:
    faults: list[str] = []
    app = parse_app(
        call.json_object(), lambda key, text, hint: faults.append(f"{key}: {text}; {hint}"), call.context.rng
    )
    if faults:
        raise ApiError("INVALID_FIELD", " | ".join(fault.removesuffix("; ") for fault in faults))
    with call.context.store.transaction() as tx:
        tx.apps.put(app.consumer_key, app.body)
    return answer(app.body, 201)


def _apps(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        bodies = tx.apps.list_all()
    return answer([{key: value for key, value in body.items() if key not in SECRETS} for body in bodies])


def _forget(call: RestCall) -> Response:
    with call.context.store.transaction() as tx:
        if not tx.apps.delete(call.path["key"]):
            raise make_error("not_found")
    return no_content()


def _token(call: RestCall) -> Response:
    username = call.json_object().get("username")
    with call.context.store.transaction() as tx:
        user = auth.find_active_user(tx, username)
        if user is None:
            raise ApiError("NOT_FOUND", f"there is no active user {username}", status=404)
        token = auth.get_or_create_token(tx, str(user["Id"]), now=call.context.clock.now(), rng=call.context.rng)
    return answer({"access_token": token, "user_id": user["Id"], "username": user["Username"]}, 201)
