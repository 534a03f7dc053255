"""
A webhook request: the body of an event, and its authentication.

Appcues publishes neither in full. The body is deduced from exports of events and from the fields that
its help page on the Salesforce integration mentions; docs/local-appcues.md lists the sources.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.appcues.call import AppcuesApiError
from sfcode.local.appcues.state import Profile

SCHEMES = ("none", "path", "header", "bearer", "basic", "hmac", "standard_webhooks")
_ALGORITHMS = ("sha1", "sha256", "sha512")


@dataclass(frozen=True, slots=True)
class Auth:
    """The authentication of a webhook's sender."""

    scheme: str = "none"
    secret: str = ""
    header: str = ""
    username: str = "appcues"
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    """The prefix of the signature, such as `sha256=`."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The settings of a webhook: URL, authentication, events and retry delay."""

    url: str
    auth: Auth = Auth()
    events: tuple[str, ...] = ()
    """Names of the events that are sent; all events if empty."""
    retry_seconds: float = 1.0


def read_webhook(value: Mapping[str, Any]) -> Webhook:
    """Read the settings of a webhook. Raises AppcuesApiError."""
    keys = {"url", "auth", "events", "retry_seconds"}
    if set(value) - keys or not isinstance(value.get("url"), str):
        raise AppcuesApiError(400, f"a webhook has {', '.join(sorted(keys))}; url is an address")
    events, seconds = value.get("events", []), value.get("retry_seconds", 1.0)
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise AppcuesApiError(400, "events is a list of names")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 60:
        raise AppcuesApiError(400, "retry_seconds is a number above 0, up to 60")
    return Webhook(value["url"], _read_auth(value.get("auth", {})), tuple(events), float(seconds))


def _read_auth(value: object) -> Auth:
    if not isinstance(value, Mapping) or set(value) - set(Auth.__slots__):
        raise AppcuesApiError(400, f"auth has {', '.join(Auth.__slots__)}")
    if not all(isinstance(text, str) for text in value.values()):
        raise AppcuesApiError(400, "what auth has are texts")
    auth = Auth(**value)
    if auth.scheme not in SCHEMES:
        raise AppcuesApiError(400, f"scheme is one of {', '.join(SCHEMES)}")
    if auth.scheme != "none" and not auth.secret:
        raise AppcuesApiError(400, f"scheme {auth.scheme} needs a secret")
    if auth.scheme in ("header", "hmac") and not auth.header:
        raise AppcuesApiError(400, f"scheme {auth.scheme} needs a header")
    if auth.algorithm not in _ALGORITHMS or auth.encoding not in ("hex", "base64"):
        raise AppcuesApiError(400, f"algorithm is one of {', '.join(_ALGORITHMS)}, encoding is hex or base64")
    if auth.scheme == "standard_webhooks":
        _standard_key(auth.secret)
    return auth


def build_request(webhook: Webhook, message_id: str, body: bytes, now: datetime) -> tuple[str, dict[str, str]]:
    """Return the URL and the headers of a webhook request."""
    auth, headers, url = webhook.auth, {"Content-Type": "application/json"}, webhook.url
    if auth.scheme == "path":
        url = f"{url.rstrip('/')}/{quote(auth.secret, safe='')}"
    elif auth.scheme == "header":
        headers[auth.header] = auth.secret
    elif auth.scheme == "bearer":
        headers["Authorization"] = f"Bearer {auth.secret}"
    elif auth.scheme == "basic":
        headers["Authorization"] = "Basic " + _text(f"{auth.username}:{auth.secret}".encode())
    elif auth.scheme == "hmac":
        signature = hmac.digest(auth.secret.encode(), body, auth.algorithm)
        headers[auth.header] = auth.prefix + (signature.hex() if auth.encoding == "hex" else _text(signature))
    elif auth.scheme == "standard_webhooks":
        stamp = str(int(now.timestamp()))
        signature = hmac.digest(_standard_key(auth.secret), f"{message_id}.{stamp}.".encode() + body, "sha256")
        headers |= {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{_text(signature)}"}
    return url, headers


def _standard_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise AppcuesApiError(400, "the secret of standard_webhooks is base64, after whsec_") from error


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def event_body(
    account_id: str, event: Mapping[str, Any], profile: Profile, now: datetime, rng: Random
) -> dict[str, Any]:
    """Build the body of an event from `user_id`, `name` and additional values."""
    attributes = {**event.get("attributes", {})}
    identity = {"userId": event["user_id"], **profile, **attributes.pop("_identity", {})}
    stamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "account_id": account_id,
        "user_id": event["user_id"],
        "group_id": event.get("group_id"),
        "session_id": str(int(now.timestamp() * 1000)),
        "event_id": event.get("event_id") or str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "name": event["name"],
        "timestamp": event.get("timestamp", stamp),
        "attributes": {**attributes, "_identity": identity},
        "context": event.get("context", {}),
        "identity": {},
    }


def encode(body: Mapping[str, Any]) -> bytes:
    """Serialize a body."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
