"""
SOAP login and logout: the part of the Partner and Enterprise APIs that sign-in needs.

Salesforce has no `login` from API version 65 on, and ends it in Summer '27.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from sfcode.local import auth
from sfcode.local.clock import stamp
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, describe_failure
from sfcode.local.http import soap
from sfcode.local.http.call import VERSIONS, origin
from sfcode.local.signin.grants import user_with_password
from sfcode.local.signin.passwords import set_password
from sfcode.local.store import OrgTransaction, Record

NAMESPACES = {"u": "urn:partner.soap.sforce.com", "c": "urn:enterprise.soap.sforce.com"}
SESSION_MINUTES = 120
LARGEST = 1_000_000
WRONG = "Invalid username, password, security token; or user locked out."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartnerCall:
    """One call: its URL and its content."""

    context: OrgContext
    kind: str
    version: str
    origin: str
    call: soap.SoapCall

    def required(self, name: str) -> str:
        """Return the text of a required argument. Raises SoapFault if it is missing."""
        found = soap.text(self.call.element, name)
        if found is None:
            raise soap.SoapFault("INVALID_FIELD", f"Required field is missing: {name}")
        return found

    def session(self) -> auth.UserSession:
        """Return the session of the call. Raises SoapFault."""
        found = self.context.signed_in(self.call.session_id)
        if found is None:
            raise soap.SoapFault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
        return found


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    return [
        Route(f"/services/Soap/{kind}/{{version}}{end}", _endpoint(context, kind), methods=["POST"])
        for kind in NAMESPACES
        for end in ("", "/", "/{org}")
    ]


def _endpoint(context: OrgContext, kind: str) -> Callable[[HttpRequest], object]:
    async def endpoint(request: HttpRequest) -> Response:
        try:
            data = b""
            async for chunk in request.stream():
                data += chunk
                if len(data) > LARGEST:
                    raise soap.SoapFault("LIMIT_EXCEEDED", f"Maximum size of request is {LARGEST} bytes.")
            version = request.path_params["version"]
            content = await run_in_threadpool(_answer, context, kind, version, origin(request), data)
        except soap.SoapFault as fault:
            return _xml(soap.fault(fault), 500)
        except ApiError as error:
            return _xml(soap.fault(soap.SoapFault(error.code, error.message)), 500)
        except Exception as error:  # noqa: BLE001  (an org answers, whatever happens inside it)
            return _xml(soap.fault(soap.SoapFault("UNKNOWN_EXCEPTION", describe_failure(log, "SOAP", error))), 500)
        return _xml(content, 200)

    return endpoint


def _answer(context: OrgContext, kind: str, version: str, at: str, data: bytes) -> bytes:
    number = version.removesuffix(".0")
    if not (number.isascii() and number.isdigit() and int(number) in VERSIONS):
        raise soap.SoapFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    call = soap.read(data)
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        raise soap.SoapFault("UNKNOWN_EXCEPTION", f"the local org has no operation {call.operation}")
    results = operation(PartnerCall(context, kind, version, at, call))
    return soap.answer(call.operation, results, NAMESPACES[kind])


def _login(request: PartnerCall) -> list[soap.Node]:
    context, now = request.context, request.context.clock.now()
    username, password = request.required("username"), request.required("password")
    with context.store.transaction() as tx:
        user = user_with_password(tx, username, password)
        if user is None:
            raise soap.SoapFault("INVALID_LOGIN", WRONG, "LoginFault")
        token = auth.generate_token(tx, context.rng)
        tx.sessions.put(token, str(user["Id"]), now=now, minutes=SESSION_MINUTES)
        org_id, info = tx.settings.get("org_id") or "", _user_info(tx, user)
        sandbox = bool(tx.records.list_all("Organization")[0].get("IsSandbox"))
    services = f"{request.origin}/services/Soap"
    return [
        {
            "metadataServerUrl": f"{services}/m/{request.version}/{org_id[:15]}",
            "passwordExpired": False,
            "sandbox": sandbox,
            "serverUrl": f"{services}/{request.kind}/{request.version}/{org_id[:15]}",
            "sessionId": token,
            "userId": str(user["Id"]),
            "userInfo": info,
        }
    ]


def _user_info(tx: OrgTransaction, user: Record) -> Mapping[str, soap.Node]:
    """Return all elements of GetUserInfoResult in the order of the WSDL: strict clients stop at one that is absent."""
    organization = tx.records.list_all("Organization")[0]
    texts = {f"user{name}": user.get(field) for name, field in USER_INFO.items()}
    return {
        "accessibilityMode": False,
        "currencySymbol": "$",
        "orgAttachmentFileSizeLimit": 5_242_880,
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDefaultCurrencyLocale": "en_US",
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": tx.settings.get("org_id") or "",
        "organizationMultiCurrency": False,
        "organizationName": str(organization["Name"]),
        "profileId": str(user.get("ProfileId") or ""),
        "roleId": str(user.get("UserRoleId") or "") or {"@xsi:nil": "true"},
        "sessionSecondsValid": SESSION_MINUTES * 60,
        "userDefaultCurrencyIsoCode": {"@xsi:nil": "true"},
        **{name: str(value or "") for name, value in texts.items()},
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }


USER_INFO = {
    "Email": "Email",
    "FullName": "Name",
    "Id": "Id",
    "Language": "LanguageLocaleKey",
    "Locale": "LocaleSidKey",
    "Name": "Username",
    "TimeZone": "TimeZoneSidKey",
}


def _logout(request: PartnerCall) -> list[soap.Node]:
    request.session()
    with request.context.store.transaction() as tx:
        tx.sessions.delete(request.call.session_id or "")
    return []


def _get_user_info(request: PartnerCall) -> list[soap.Node]:
    session = request.session()
    with request.context.store.read() as tx:
        return [_user_info(tx, tx.records.get("User", session.user_id) or {"Id": session.user_id, "Username": ""})]


def _get_server_timestamp(request: PartnerCall) -> list[soap.Node]:
    request.session()
    return [{"timestamp": stamp(request.context.clock.now()).replace("+0000", "Z")}]


def _set_password(request: PartnerCall) -> list[soap.Node]:
    session = request.session()
    with request.context.store.transaction() as tx:
        set_password(tx, session.user_id, request.required("userId"), request.required("password"))
    return [{}]


OPERATIONS: Mapping[str, Callable[[PartnerCall], list[soap.Node]]] = {
    "getServerTimestamp": _get_server_timestamp,
    "getUserInfo": _get_user_info,
    "login": _login,
    "logout": _logout,
    "setPassword": _set_password,
}


def _xml(content: bytes, status: int) -> Response:
    return Response(content, status, media_type="text/xml;charset=UTF-8")
