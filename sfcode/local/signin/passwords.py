"""Passwords of users, set as in an org and stored as salted hashes. At first no user has one."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.auth import generate_secret
from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error, require
from sfcode.local.http.call import DATA, RestCall, answer, no_content, route_pair
from sfcode.local.ids import full
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.store import OrgTransaction

COST = {"n": 2**14, "r": 8, "p": 1}
SHORTEST = 8
GENERATED_LENGTH = 16


def routes(context: OrgContext) -> list[Route]:
    """
    List the routes of this file.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password.htm
    """
    return route_pair(f"{DATA}/sobjects/User/{{id}}/password", context, {"GET": _state, "POST": _set, "DELETE": _reset})


def hash_password(password: str) -> str:
    """Return the stored form of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{hashlib.scrypt(password.encode(), salt=salt, **COST).hex()}"


def check_password(stored_hash: str | None, password: str) -> bool:
    """Return whether a password matches a hash."""
    if stored_hash is None:
        return False
    salt, _, digest = stored_hash.partition(":")
    password_digest = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **COST).hex()
    return hmac.compare_digest(password_digest, digest)


def set_password(tx: OrgTransaction, asking_id: str, user_id: str, password: str) -> None:
    """Set a user's password: one's own, or another user's with the permission to manage users. Raises ApiError."""
    require(tx.records.get("User", user_id))
    if full(user_id) != asking_id and "ManageUsers" not in UserAccess(tx, asking_id).user_permissions:
        raise make_error("no_access")
    if len(password) < SHORTEST:
        raise ApiError("INVALID_NEW_PASSWORD", f"Your password must be at least {SHORTEST} characters long.")
    tx.passwords.set(full(user_id), hash_password(password))


def _state(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        require(tx.records.get("User", call.path["id"]))
    return answer({"isExpired": False})


def _set(call: RestCall) -> Response:
    password = call.json_object().get("NewPassword")
    if not isinstance(password, str):
        raise make_error("required", names="NewPassword")
    with call.context.store.transaction() as tx:
        set_password(tx, call.session.user_id, call.path["id"], password)
    return no_content()


def _reset(call: RestCall) -> Response:
    password = generate_secret(GENERATED_LENGTH, call.context.rng)
    with call.context.store.transaction() as tx:
        set_password(tx, call.session.user_id, call.path["id"], password)
    return answer({"NewPassword": password})
