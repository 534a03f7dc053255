"""HTTP responses and refusals: short, constant, and without data of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{_SOAP}">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
_ACK = '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
_FAULT = "<soapenv:Fault><faultcode>soapenv:{}</faultcode><faultstring>{}</faultstring></soapenv:Fault>"
_OWN_CODES = {"version_mismatch": "VersionMismatch", "must_understand": "MustUnderstand"}


class HttpError(Exception):
    """Raised when a request is refused; nothing of it was stored. `reason` is a short name, never text of the request."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None, *, detail: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        """The reason in the response."""
        self.headers = dict(headers or {})
        self.detail = detail or reason
        """The reason in log and metrics, which may be more specific than the response."""


def busy(seconds: int, detail: str = "busy") -> HttpError:
    """Return the refusal (503) for a temporary problem of the relay."""
    return HttpError(503, "unavailable", {"Retry-After": str(seconds)}, detail=detail)


def answer_stored() -> Response:
    """Answer a webhook whose events are committed."""
    return _json(200, {"status": "stored"})


def answer_refused(refusal: HttpError) -> Response:
    """Answer a webhook that is not accepted."""
    return _json(refusal.status, {"error": refusal.reason}, refusal.headers)


def acknowledge() -> Response:
    """Acknowledge an outbound message whose notifications are committed."""
    return _soap(200, _ACK)


def fault(refusal: HttpError) -> Response:
    """
    Answer an outbound message that is not accepted: Salesforce sends it again.

    SOAP 1.1 uses status 500 for every fault. Salesforce treats all statuses alike, so the relay returns the status that it
    returns for webhooks, which shows people, proxies and alarms whether the sender or the relay caused the fault.
    """
    code = _OWN_CODES.get(refusal.reason, "Server" if refusal.status >= 500 else "Client")
    return _soap(refusal.status, _FAULT.format(code, refusal.reason.replace("_", " ")), refusal.headers)


def _json(status: int, body: dict[str, str], headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(body) + "\n"
    return Response(content, status, {**SECURITY_HEADERS, **(headers or {})}, "application/json")


def _soap(status: int, inner: str, headers: dict[str, str] | None = None) -> Response:
    content = _ENVELOPE.format(inner)
    return Response(content, status, {**SECURITY_HEADERS, **(headers or {})}, "text/xml; charset=utf-8")
