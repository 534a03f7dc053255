"""Authentication: access tokens and their users."""

from __future__ import annotations

import json
import random
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sfcode.lazy_dataclasses import dataclass
from sfcode.local import ids
from sfcode.local.clock import stamp
from sfcode.local.store import OrgTransaction, Record

TOKEN_LENGTH = 96


@dataclass(frozen=True, slots=True)
class UserSession:
    """A signed-in user."""

    user_id: str
    username: str
    org_id: str


@cache
def _answers() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(Path(__file__).with_name("user_info.json").read_bytes())
    return answers


def describe_user(answer: str, user: Record) -> dict[str, Any]:
    """Return the properties of a user in one kind of response: `userinfo`, `identity` or `soap`."""
    answer_form = _answers()[answer]
    return {**answer_form["constants"], **{name: user.get(field) for name, field in answer_form["fields"].items()}}


def find_session(tx: OrgTransaction, token: str, now: datetime) -> UserSession | None:
    """Find the session of a token; None if it has expired or its user is inactive."""
    row = tx.sessions.get(token)
    user = None if row is None or row.is_expired(now) else tx.records.get("User", row.user_id)
    if user is None or not user.get("IsActive"):
        return None
    return UserSession(str(user["Id"]), str(user["Username"]), tx.settings.get("org_id") or "")


def find_active_user(tx: OrgTransaction, username: object) -> Record | None:
    """Find the active user with a username."""
    users = tx.records.find("User", "Username", username) if isinstance(username, str) and username else []
    return next((user for user in users if user.get("IsActive")), None)


def get_or_create_token(tx: OrgTransaction, user_id: str, *, now: datetime, rng: random.Random) -> str:
    """Return the user's token, created if there is none; the sf CLI accepts its form, `00D...!...`."""
    lasting_token = tx.sessions.lasting_token(user_id)
    if lasting_token is not None:
        return lasting_token
    token = generate_token(tx, rng)
    tx.sessions.put(token, user_id, now=now)
    return token


def record_sign_in(tx: OrgTransaction, user: Record, kind: str, application: str, *, now: datetime) -> None:
    """Record a sign-in in the login history, and its time in the user."""
    row = {"UserId": user["Id"], "LoginTime": stamp(now), "LoginType": kind, "Application": application}
    tx.records.insert("LoginHistory", row | {"Status": "Success"}, user_id=str(user["Id"]), now=now)
    stamps = {key: user.get(key) for key in ("LastModifiedDate", "LastModifiedById", "SystemModstamp")}
    values = {"LastLoginDate": stamp(now), **stamps}
    tx.records.update("User", str(user["Id"]), values, user_id=str(user["Id"]), now=now)


def generate_token(tx: OrgTransaction, rng: random.Random) -> str:
    """Generate a token."""
    return f"{(tx.settings.get('org_id') or '')[:15]}!{generate_secret(TOKEN_LENGTH, rng)}"


def generate_secret(length: int, rng: random.Random) -> str:
    """Generate a random secret."""
    return "".join(rng.choice(ids.ALPHABET) for _ in range(length))
