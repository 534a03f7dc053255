"""Propose `relay.webhook_auth` from the headers of a webhook, and test it where the body and the secret are known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.ingress.auth.scheme import base64_bytes, sign_with_each
from sfcode.relay.ingress.header_shapes import describe_value
from sfcode.relay.learn.capture import CapturedWebhook
from sfcode.secret import Secret

_SHAPE = re.compile(r"(?P<prefix>[^<>]*)<(?P<length>[0-9]+) (?P<kind>hex|base64)>")
_ALGORITHMS = {40: "sha1", 64: "sha256", 128: "sha512", 28: "sha1", 44: "sha256", 43: "sha256", 88: "sha512"}
"""Hash algorithms by the length of a signature in hex or base64."""
_SIGNED = ("{body}", "{timestamp}.{body}", "{timestamp}:{body}", "{timestamp}{body}", "v0:{timestamp}:{body}")
"""Forms of the signed text that senders use, the most frequent first."""
_STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class AuthProposal:
    """A proposed `relay.webhook_auth`."""

    settings: Mapping[str, str]
    """The settings; empty if the headers have no scheme that the relay supports."""
    note: str
    """An explanation of how certain the proposal is."""


def propose_auth(capture: CapturedWebhook, secrets: Sequence[Secret] = ()) -> AuthProposal | None:
    """Return the scheme that matches the headers; None if none does."""
    headers = capture.headers
    if all(name in headers for name in _STANDARD):
        return AuthProposal({"scheme": "standard_webhooks"}, "The headers are those of Standard Webhooks.")
    shapes = {name: value if "<" in value else describe_value(value) for name, value in headers.items()}
    for name, shape in shapes.items():
        match = _SHAPE.fullmatch(shape)
        algorithm = _ALGORITHMS.get(int(match["length"])) if match else None
        if match and algorithm and re.search("sign|hmac|digest|hash|sha", name):
            settings = {"scheme": "hmac", "header": name, "algorithm": algorithm, "encoding": match["kind"]}
            if match["prefix"]:
                settings["prefix"] = match["prefix"]
            return _propose_signed(settings, capture, secrets)
        if re.search("sign", name) and shape.count("=<") > 1:
            note = f"The header {name} contains several values ({shape}), which no scheme of the relay describes."
            return AuthProposal({}, note)
    authorization = headers.get("authorization", "").lower()
    for scheme in ("bearer", "basic"):
        if authorization.startswith(scheme) or f"<{len(scheme)} characters>" == shapes.get("authorization", "")[:14]:
            return AuthProposal({"scheme": scheme}, "The header authorization contains a token.")
    token = next((name for name in headers if re.search("token|secret|key|auth", name)), None)
    if token is None:
        return None
    return AuthProposal({"scheme": "header", "header": token}, f"The header {token} may contain a token.")


def _propose_signed(settings: dict[str, str], capture: CapturedWebhook, secrets: Sequence[Secret]) -> AuthProposal:
    """Add the form of the signed text to the settings of a signature, and test it if possible."""
    stamp = next((name for name in capture.headers if "timestamp" in name or name.endswith("-time")), None)
    forms = [form for form in _SIGNED if stamp or "{timestamp}" not in form]
    presented_signature = capture.headers[settings["header"]].removeprefix(settings.get("prefix", ""))
    signature = base64_bytes(presented_signature) if settings["encoding"] == "base64" else _hex(presented_signature)
    if not secrets or capture.text is None or not signature:
        likely = "{timestamp}.{body}" if stamp else ""
        note = (
            "The signed text was not tested: pass the captured request as a file, and set SFCODE_RELAY_WEBHOOK_SECRET."
        )
        return AuthProposal({**settings, **_timestamp_settings(likely, stamp)}, note)
    time = capture.headers.get(stamp or "", "")
    for form in forms:
        signed = list(_parts(form, capture.text, time))
        if signature in sign_with_each([secret.reveal().encode() for secret in secrets], signed, settings["algorithm"]):
            note = "Tested: the secret and this scheme give the signature of this webhook."
            return AuthProposal({**settings, **_timestamp_settings(form, stamp)}, note)
    note = "No known form of the signed text gives this signature with the secret: the secret or the form is different."
    return AuthProposal(settings, note)


def _timestamp_settings(form: str, stamp: str | None) -> dict[str, str]:
    return {"timestamp_header": stamp, "signed": form} if stamp and "{timestamp}" in form else {}


def _parts(form: str, body: str, time: str) -> Iterator[bytes]:
    for part in re.split(r"(\{body\}|\{timestamp\})", form):
        yield {"{body}": body, "{timestamp}": time}.get(part, part).encode()


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
