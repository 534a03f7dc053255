"""Rules for the relay's settings in `sfcode.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from sfcode.config.document import Document, PathProblem
from sfcode.config.models import Settings
from sfcode.config.relay_models import MessageId, Relay, WebhookAuth
from sfcode.hosts import is_loopback

_AUTH = ("relay", "webhook_auth")
_HMAC = ("hmac",)
_SIGNED = ("hmac", "standard_webhooks")
_NEEDS_HEADER = ("header", "hmac")
_MEANS_SOMETHING: Mapping[str, tuple[str, ...]] = {
    "header": _NEEDS_HEADER,
    "algorithm": _HMAC,
    "encoding": _HMAC,
    "prefix": _HMAC,
    "timestamp_header": _HMAC,
    "signed": _HMAC,
    "tolerance": _SIGNED,
}
_PLACE = re.compile(r"\{[^{}]*\}")


def check_relay(settings: Settings, document: Document) -> Iterator[PathProblem]:
    """Check the relay's settings."""
    relay = settings.relay
    auth = relay.webhook_auth
    host = urlsplit(relay.url).hostname or ""
    if auth.scheme == "none" and not is_loopback(host):
        message = f"`none` lets anyone who can reach {host} send events"
        yield PathProblem(
            (*_AUTH, "scheme"), message, "write another scheme: none is only possible for a relay on this machine"
        )
    yield from _check_webhook_auth(auth, document)
    yield from _check_signature(auth, relay.message_id)
    yield from _check_sign_in(relay)
    yield from _check_message_id(relay, document)
    yield from _check_notify(relay)
    if settings.appcues.webhook.id and relay.message_id:
        message = "is already set in relay.message_id"
        yield PathProblem(("appcues", "webhook", "id"), message, "keep one of them", at="key")
    if relay.outbound.client_certificate and not relay.trusted_proxies:
        message = "is ignored, since relay.trusted_proxies lists no proxy"
        hint = "list the networks of the proxy that checks the certificate"
        yield PathProblem(("relay", "outbound", "client_certificate"), message, hint, at="key")


def _check_webhook_auth(auth: WebhookAuth, document: Document) -> Iterator[PathProblem]:
    if auth.scheme in _NEEDS_HEADER and auth.header is None:
        message = f"missing: scheme {auth.scheme} needs the name of a header"
        hint = "add the header that Appcues sends, such as header: X-Token"
        yield PathProblem((*_AUTH, "header"), message, hint, at="key")
    for key, schemes in _MEANS_SOMETHING.items():
        if auth.scheme not in schemes and document.has(*_AUTH, key):
            hint = f"remove it, or write scheme: {' or '.join(schemes)}"
            yield PathProblem((*_AUTH, key), f"has no effect with scheme {auth.scheme}", hint, at="key")


def _check_sign_in(relay: Relay) -> Iterator[PathProblem]:
    """Check the sign-in of the relay."""
    sign_in, path = relay.sign_in, ("relay", "sign_in")
    if sign_in is None:
        return
    if sign_in.flow == "jwt" and sign_in.certificate is None:
        message = "missing: flow jwt needs the certificate of the relay's key"
        yield PathProblem(
            (*path, "certificate"), message, "add the key certificate, with the PEM text below it", at="key"
        )
    if sign_in.flow != "jwt" and sign_in.certificate is not None:
        hint = "remove it, or write flow: jwt"
        yield PathProblem((*path, "certificate"), f"has no effect with flow {sign_in.flow}", hint, at="key")


def _check_notify(relay: Relay) -> Iterator[PathProblem]:
    """Check the receivers of alarms."""
    first: dict[str, int] = {}
    for number, receiver in enumerate(relay.notify):
        path = ("relay", "notify", number)
        if receiver.form == "standard_webhooks" and receiver.secret_variable is None:
            message = "missing: form standard_webhooks needs a secret to sign with"
            hint = "add the name of its variable, such as secret_variable: SFCODE_NOTIFY_SECRET"
            yield PathProblem((*path, "secret_variable"), message, hint, at="key")
        if receiver.form != "standard_webhooks" and receiver.secret_variable is not None:
            hint = "remove it, or write form: standard_webhooks"
            yield PathProblem((*path, "secret_variable"), f"has no effect with form {receiver.form}", hint, at="key")
        if first.setdefault(receiver.url_variable, number) != number:
            message = f"{receiver.url_variable} is the URL of relay.notify[{first[receiver.url_variable]}] already"
            yield PathProblem((*path, "url_variable"), message, "list the alarms of both in one entry")


def _check_signature(auth: WebhookAuth, message_id: MessageId | None) -> Iterator[PathProblem]:
    """Check the signature settings."""
    if auth.scheme != "hmac":
        return
    places = set(_PLACE.findall(auth.signed or "{body}"))
    for place in sorted(places - {"{body}", "{timestamp}", "{id}"}):
        yield PathProblem(
            (*_AUTH, "signed"), f"{place} is not a placeholder", "write {body}, {timestamp} and {id} only"
        )
    if "{id}" in places and (message_id is None or message_id.header is None):
        message = "contains {id}, but relay.message_id has no header"
        yield PathProblem((*_AUTH, "signed"), message, "add message_id: {header: NAME}, or remove {id}")
    if "{body}" not in places:
        yield PathProblem((*_AUTH, "signed"), "does not contain the body, which could then be changed", "add {body}")
    if "{timestamp}" in places and auth.timestamp_header is None:
        message = "contains {timestamp}, but timestamp_header is not set"
        yield PathProblem((*_AUTH, "signed"), message, "add timestamp_header, or remove {timestamp}")
    if auth.timestamp_header is not None and "{timestamp}" not in places:
        message = "is not signed, so that an old message could be sent again with another one"
        hint = 'add what the sender signs, such as signed: "{timestamp}.{body}", or leave the header out'
        yield PathProblem((*_AUTH, "timestamp_header"), message, hint)
    if auth.tolerance is not None and auth.timestamp_header is None:
        message = "has no effect without timestamp_header"
        yield PathProblem((*_AUTH, "tolerance"), message, "remove it, or add timestamp_header", at="key")


def _check_message_id(relay: Relay, document: Document) -> Iterator[PathProblem]:
    places = [key for key in ("header", "path") if document.has("relay", "message_id", key)]
    if relay.message_id is not None and len(places) != 1:
        message = "cannot be in two places" if places else "needs either header or path"
        yield PathProblem(("relay", "message_id"), message, "set one of them: header or path", at="key")
    header, auth = relay.message_id.header if relay.message_id else None, relay.webhook_auth
    message = "is not signed, so that a signed message could be repeated under another ID"
    if header is not None and auth.scheme == "hmac" and "{id}" not in (auth.signed or ""):
        hint = 'add what the sender signs, such as webhook_auth.signed: "{id}.{body}", or name the ID in the event with path'
        yield PathProblem(("relay", "message_id", "header"), message, hint)
    if header is not None and auth.scheme == "standard_webhooks" and header.lower() != "webhook-id":
        hint = "leave message_id out: webhook-id is signed; or name the ID in the event with path"
        yield PathProblem(("relay", "message_id", "header"), message, hint)
