"""Statements about authentication of webhooks, outbound messages and proxies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sfcode.checks.phrases import code, join_list
from sfcode.config.notify_models import NotifyReceiver
from sfcode.config.pem import certificate_text
from sfcode.config.project import Project
from sfcode.config.relay_models import DEFAULT_TOLERANCE, MessageId, Outbound, SignInSettings, WebhookAuth
from sfcode.config.webhook_models import WebhookPaths
from sfcode.review.model import Group, Risk, Statement

PREFIXES = (
    "appcues.webhook",
    "relay.webhook_auth",
    "relay.message_id",
    "relay.outbound.",
    "relay.trusted_proxies",
    "relay.sign_in",
    "relay.schedule",
    "relay.notify",
    "relay.api_calls_per_day",
)
"""The settings that have statements here, several in one sentence."""

_SAME_TIME = "Appcues has to be set up the same way at the same time"
_TWICE = "repetitions of earlier events may be treated as new events"
_OTHERWISE = "events that are parsed differently may be parked, or assigned to another user"
_STRANGERS = "clients that are not listed are refused, and listed ones are trusted"
_WEBHOOK_PARTS = {
    "events": "the events of a webhook",
    "name": "an event's name",
    "user_id": "an event's user",
    "group_id": "the group of an event's user",
    "timestamp": "an event's time",
    "id": "an event's ID",
    "attributes": "an event's attributes",
}


def relay_statements(old: Project, new: Project) -> Iterator[Statement]:
    """Describe the differences between the settings of the relay."""
    before, after = old.settings.relay, new.settings.relay
    rows = (
        (
            "webhook_auth",
            "The relay will authenticate Appcues' webhooks by {after} instead of {before}",
            (_scheme(before.webhook_auth), _scheme(after.webhook_auth)),
            _SAME_TIME,
        ),
        (
            "message_id",
            "The relay will recognize a repeated event by {after} instead of {before}",
            (_message_id(before.message_id), _message_id(after.message_id)),
            _TWICE,
        ),
        (
            "outbound",
            "The relay will accept outbound messages from {after} instead of from {before}",
            (_senders(before.outbound), _senders(after.outbound)),
            _STRANGERS,
        ),
        (
            "sign_in",
            "The relay will sign in to Salesforce by {after} instead of by {before}",
            (_app(before.sign_in), _app(after.sign_in)),
            "a holder of its key can act as the integration user",
        ),
        (
            "trusted_proxies",
            "The relay will trust {after} for a sender's address and certificate, instead of {before}",
            (_proxies(before.trusted_proxies), _proxies(after.trusted_proxies)),
            _STRANGERS,
        ),
        (
            "notify",
            "The relay will notify {after} of its alarms instead of {before}",
            (_receivers(before.notify), _receivers(after.notify)),
            "an alarm that reaches nobody leaves messages waiting",
        ),
        (
            "api_calls_per_day",
            "The relay will make {after} in 24 hours instead of {before}",
            (_budget(before.api_calls_per_day), _budget(after.api_calls_per_day)),
            "deliveries wait when the requests are used up",
        ),
    )
    for key, text, (was, is_now), because in rows:
        if was != is_now:
            place = new.at("relay", key, "scheme") if key == "webhook_auth" else new.at("relay", key)
            words = text.format(before=was, after=is_now)
            yield Statement(Group.SETUP, words, Risk.MEDIUM, because, place)
    yield from _schedule_statements(old, new)
    yield from _webhook_statements(old, new)


def _schedule_statements(old: Project, new: Project) -> Iterator[Statement]:
    """Describe changes of the relay's schedule."""
    before, after = (side.settings.relay.schedule.hours for side in (old, new))
    for job, work in (
        ("reconcile", "look for changes for which Salesforce sent no message"),
        ("refresh", "compare all records with the data in Appcues"),
    ):
        if before.get(job) != after.get(job):
            hours = f"every {code(after[job])} hours" if job in after else "no more"
            instead = f" instead of every {code(before[job])} hours" if job in before and job in after else ""
            place = new.at("relay", "schedule", f"{job}_hours")
            yield Statement(Group.WHEN, f"The relay will {work} {hours}{instead}", Risk.LOW, "", place)


def _webhook_statements(old: Project, new: Project) -> Iterator[Statement]:
    """Describe changed paths of webhooks."""
    for key in WebhookPaths.model_fields:
        was, is_now = (getattr(side.settings.appcues.webhook, key) for side in (old, new))
        if was != is_now:
            words = f"The relay will look for {_WEBHOOK_PARTS[key]} at {_places(is_now)} instead of {_places(was)}"
            yield Statement(Group.SETUP, words, Risk.MEDIUM, _OTHERWISE, new.at("appcues", "webhook", key))


def _places(paths: Sequence[str] | None) -> str:
    return join_list(map(code, paths)) if paths else "the usual places"


def _scheme(auth: WebhookAuth) -> str:
    tolerance = auth.tolerance or DEFAULT_TOLERANCE
    if auth.scheme == "hmac":
        details: list[str] = [auth.algorithm or "sha256", auth.encoding or "hex"]
        details += [f"after {code(auth.prefix)}"] if auth.prefix else []
        details += [f"of {code(auth.signed)}"] if auth.signed else []
        if auth.timestamp_header:
            details.append(f"with the time in {code(auth.timestamp_header)}, at most {tolerance} s away")
        return f"a signature in the header {code(auth.header)} ({', '.join(details)})"
    words = {
        "none": "no authentication",
        "path": "a token in the address",
        "header": f"a token in the header {code(auth.header)}",
        "bearer": "a bearer token",
        "basic": "a user name and password",
        "standard_webhooks": f"a Standard Webhooks signature, at most {tolerance} s old",
    }
    return words[auth.scheme]


def _message_id(message_id: MessageId | None) -> str:
    if message_id is None:
        return "what it says"
    return f"the header {code(message_id.header)}" if message_id.header else f"its {code(message_id.path)}"


def _app(sign_in: SignInSettings | None) -> str:
    if sign_in is None:
        return "an app that this project does not generate"
    if sign_in.certificate is None:
        return "an app that sfcode generates, with its consumer secret"
    mark = hashlib.sha256(certificate_text(sign_in.certificate).encode()).hexdigest()[:12]
    return f"an app that sfcode generates, with the key of certificate {code(mark)}"


def _senders(outbound: Outbound) -> str:
    words = join_list(map(code, outbound.networks)) if outbound.networks else "everywhere"
    certificate = outbound.client_certificate
    return f"{words} with {code(certificate.value)} in {code(certificate.header)}" if certificate else words


def _receivers(receivers: Sequence[NotifyReceiver]) -> str:
    return join_list(map(_receiver, receivers)) if receivers else "nobody"


def _receiver(receiver: NotifyReceiver) -> str:
    alarms = join_list(map(code, receiver.alarms)) if receiver.alarms else "all alarms"
    signed = [f"signed with {code(receiver.secret_variable)}"] if receiver.secret_variable else []
    details = ", ".join([receiver.form, *signed, alarms, f"again after {receiver.repeat_hours} hours"])
    return f"the address in {code(receiver.url_variable)} ({details})"


def _budget(requests: int | None) -> str:
    return "any number of requests to the org" if requests is None else f"at most {requests:,} requests to the org"


def _proxies(networks: Sequence[str]) -> str:
    return join_list(map(code, networks)) if networks else "nobody"
