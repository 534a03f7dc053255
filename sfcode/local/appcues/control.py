"""
Control routes that Appcues does not have: answer surveys, set webhooks, arm faults, read the journal.

They require the credentials of the API. Faults and the rate limit do not apply to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse, Response

from sfcode.local import faults
from sfcode.local.appcues.call import AppcuesApiError, AppcuesCall, Route
from sfcode.local.appcues.journal import Journal
from sfcode.local.appcues.sender import WEBHOOK, WebhookSender
from sfcode.local.appcues.values import ACCOUNT_ID, RATE, auto_properties
from sfcode.local.appcues.webhook import event_body, read_webhook

BASE = "/sfcode"
MAX_LISTED = 100
"""The number of pending webhooks that are listed, the oldest first; all of them are counted."""
KINDS = {
    **{kind: faults.KINDS[kind] for kind in ("latency", "unavailable", "drop", "drop_after")},
    "rate_limit": "429, with Retry-After, `retry_after` or 1",
    "duplicate_delivery": "a webhook that was taken is sent once more; `path` is the endpoint's",
    "late_delivery": "a webhook is held back for `seconds`, so that later ones overtake it; `path` is the endpoint's",
}
"""The kinds of faults, each with its effect."""


def routes(journal: Journal, sender: WebhookSender, monotonic: Callable[[], float]) -> list[Route]:
    """List the control routes."""

    def requests(call: AppcuesCall) -> Response:
        after = call.query.get("after", "0")
        if not after.isdecimal():
            raise AppcuesApiError(400, "after is the number of a request")
        return JSONResponse({"requests": journal.list(int(after))})

    def forget(_call: AppcuesCall) -> Response:
        return JSONResponse({"cleared": journal.clear()})

    def turn(call: AppcuesCall) -> Response:
        rate = call.json_object().get("rate", RATE)
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0):
            raise AppcuesApiError(400, "rate is a number of requests per second, or null for any number")
        call.account.bucket.set_rate(rate, monotonic())
        return _limit(call)

    def trigger(call: AppcuesCall) -> Response:
        triggered = _trigger(call)
        sender.wake()
        return JSONResponse({"event_ids": [event["event_id"] for event in triggered]}, 202)

    def hook(call: AppcuesCall) -> Response:
        webhook = read_webhook(call.json_object())
        call.account.state.set(WEBHOOK, {**asdict(webhook), "events": list(webhook.events)})
        sender.wake()
        return _webhook(call)

    handlers: dict[str, dict[str, Callable[[AppcuesCall], Response]]] = {
        "/deliveries": {"GET": _deliveries, "DELETE": _drop_deliveries},
        "/faults": {"GET": _faults, "POST": _arm, "DELETE": _clear},
        "/profiles": {"GET": _profiles},
        "/rate-limit": {"GET": _limit, "PUT": turn},
        "/requests": {"GET": requests, "DELETE": forget},
        "/trigger": {"POST": trigger},
        "/webhook": {"GET": _webhook, "PUT": hook, "DELETE": _unhook},
    }
    return [(method, BASE + path, handler) for path, methods in handlers.items() for method, handler in methods.items()]


def _trigger(call: AppcuesCall) -> list[dict[str, Any]]:
    body = call.json()
    state, now = call.account.state, call.account.clock.now()
    events = []
    for item in body if isinstance(body, list) else [body]:
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("user_id", "name")):
            raise AppcuesApiError(
                400, "an event has user_id and name, and may have attributes, group_id, timestamp, event_id"
            )
        if not isinstance(item.get("attributes", {}), dict):
            raise AppcuesApiError(400, "attributes must be an object")
        profile = state.profile("user", item["user_id"]) or {}
        events.append(event_body(ACCOUNT_ID, item, profile, now, call.account.rng))
    for event in events:
        properties = auto_properties(event["name"], event["attributes"])
        if properties:
            state.change_profile("user", event["user_id"], properties)
    setting = state.setting(WEBHOOK)
    subscribed_names = set(setting["events"]) if setting else set()
    is_sent = [bool(setting) and (not subscribed_names or event["name"] in subscribed_names) for event in events]
    state.add_events(event for event, goes in zip(events, is_sent, strict=True) if not goes)
    state.add_events((event for event, goes in zip(events, is_sent, strict=True) if goes), due=now.timestamp())
    return events


def _webhook(call: AppcuesCall) -> Response:
    setting = call.account.state.setting(WEBHOOK)
    return JSONResponse({"webhook": {**setting, "auth": {**setting["auth"], "secret": "******"}} if setting else None})


def _unhook(call: AppcuesCall) -> Response:
    call.account.state.set(WEBHOOK, None)
    return Response(status_code=204)


def _deliveries(call: AppcuesCall) -> Response:
    state = call.account.state
    deliveries = [
        {**asdict(pending), "body": json.loads(pending.body)} for pending in state.list_pending(limit=MAX_LISTED)
    ]
    return JSONResponse({"waiting": state.count_pending(), "deliveries": deliveries})


def _drop_deliveries(call: AppcuesCall) -> Response:
    return JSONResponse({"cleared": call.account.state.delete_pending()})


def _profiles(call: AppcuesCall) -> Response:
    state = call.account.state
    return JSONResponse({"users": state.profiles("user"), "groups": state.profiles("group")})


def _limit(call: AppcuesCall) -> Response:
    return JSONResponse({"rate": call.account.bucket.rate})


def _faults(call: AppcuesCall) -> Response:
    return JSONResponse({"faults": call.account.faults.list(), "kinds": KINDS})


def _arm(call: AppcuesCall) -> Response:
    try:
        fault = faults.from_json(call.json(), KINDS)
    except faults.BadFault as error:
        raise AppcuesApiError(400, str(error)) from error
    return JSONResponse(call.account.faults.arm(fault).json(), 201)


def _clear(call: AppcuesCall) -> Response:
    return JSONResponse({"cleared": call.account.faults.clear()})
