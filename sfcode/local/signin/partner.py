"""
SOAP login and logout: the part of the Partner and Enterprise APIs that sign-in needs.

From API version 65 on, Salesforce has no `login`. It ends for older versions in Summer '27.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import auth
from sfcode.local.clock import stamp
from sfcode.local.context import OrgContext
from sfcode.local.http import soap
from sfcode.local.http.call import origin
from sfcode.local.http.soap_route import find_caller, read_version, soap_route
from sfcode.local.signin.grants import user_with_password
from sfcode.local.signin.passwords import set_password
from sfcode.local.store import OrgTransaction, Record

NAMESPACES = {"u": "urn:partner.soap.sforce.com", "c": "urn:enterprise.soap.sforce.com"}
SESSION_MINUTES = 120
LARGEST = 1_000_000
WRONG = "Invalid username, password, security token; or user locked out."


@dataclass(frozen=True)
class PartnerCall:
    """One call: its URL and its content."""

    context: OrgContext
    kind: str
    version: str
    origin: str
    call: soap.SoapCall

    def require(self, name: str) -> str:
        """Return the text of a required argument. Raises SoapFault if it is missing."""
        return soap.require(self.call.element, name)


def routes(context: OrgContext) -> list[Route]:
    """List the routes of this file."""
    return [
        soap_route(f"/services/Soap/{kind}/{{version}}{end}", partial(_answer, context, kind), LARGEST)
        for kind in NAMESPACES
        for end in ("", "/", "/{org}")
    ]


def _answer(context: OrgContext, kind: str, request: Request, data: bytes) -> bytes:
    read_version(request)
    call = soap.read(data)
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        raise soap.SoapFault("UNKNOWN_EXCEPTION", f"the local org has no operation {call.operation}")
    results = operation(PartnerCall(context, kind, request.path_params["version"], origin(request), call))
    return soap.answer(call.operation, results, NAMESPACES[kind])


def _login(request: PartnerCall) -> list[soap.Node]:
    context, now = request.context, request.context.clock.now()
    username, password = request.require("username"), request.require("password")
    with context.store.transaction() as tx:
        user = user_with_password(tx, username, password)
        if user is None:
            raise soap.SoapFault("INVALID_LOGIN", WRONG, "LoginFault")
        token = auth.generate_token(tx, context.rng)
        tx.sessions.put(token, str(user["Id"]), now=now, minutes=SESSION_MINUTES)
        auth.record_sign_in(tx, user, "Partner Product", "N/A", now=now)
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
    """Return all elements of GetUserInfoResult in the order of the WSDL: strict clients fail if one is absent."""
    description = {name: "" if value is None else value for name, value in auth.describe_user("soap", user).items()}
    description |= {
        "organizationId": tx.settings.get("org_id") or "",
        "organizationName": str(tx.records.list_all("Organization")[0]["Name"]),
        "roleId": str(user.get("UserRoleId") or "") or {"@xsi:nil": "true"},
        "sessionSecondsValid": SESSION_MINUTES * 60,
    }
    return dict(sorted(description.items()))


def _logout(request: PartnerCall) -> list[soap.Node]:
    find_caller(request.context, request.call)
    with request.context.store.transaction() as tx:
        tx.sessions.delete(request.call.session_id or "")
    return []


def _get_user_info(request: PartnerCall) -> list[soap.Node]:
    session = find_caller(request.context, request.call)
    with request.context.store.read() as tx:
        return [_user_info(tx, tx.records.get("User", session.user_id) or {"Id": session.user_id, "Username": ""})]


def _get_server_timestamp(request: PartnerCall) -> list[soap.Node]:
    find_caller(request.context, request.call)
    return [{"timestamp": stamp(request.context.clock.now()).replace("+0000", "Z")}]


def _set_password(request: PartnerCall) -> list[soap.Node]:
    session = find_caller(request.context, request.call)
    with request.context.store.transaction() as tx:
        set_password(tx, session.user_id, request.require("userId"), request.require("password"))
    return [{}]


OPERATIONS: Mapping[str, Callable[[PartnerCall], list[soap.Node]]] = {
    "getServerTimestamp": _get_server_timestamp,
    "getUserInfo": _get_user_info,
    "login": _login,
    "logout": _logout,
    "setPassword": _set_password,
}
