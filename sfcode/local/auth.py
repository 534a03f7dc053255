"""Who is asking: access tokens and the user behind each."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from sfcode.local import ids
from sfcode.local.store import Tx

TOKEN_LENGTH = 96


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user."""

    user_id: str
    username: str
    org_id: str


def session(tx: Tx, token: str) -> Session | None:
    """Find whose token this is; a deactivated user's is nobody's."""
    user_id = tx.session_user(token)
    user = None if user_id is None else tx.record("User", user_id)
    if user is None or not user.get("IsActive"):
        return None
    return Session(str(user["Id"]), str(user["Username"]), tx.get("org_id") or "")


def token_for(tx: Tx, user_id: str, *, now: datetime, rng: random.Random) -> str:
    """Give the user's token, made when there is none; sf accepts it by its form, `00D...!...`."""
    known = tx.session_token(user_id)
    if known is not None:
        return known
    secret = "".join(rng.choice(ids.ALPHABET) for _ in range(TOKEN_LENGTH))
    token = f"{(tx.get('org_id') or '')[:15]}!{secret}"
    tx.put_session(token, user_id, now=now)
    return token
