"""The data of an account: profiles, groups, events and pending webhooks."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.appcues.values import Value
from sfcode.local.database import StateFile, read_migrations

Kind = Literal["user", "group"]
Profile = dict[str, Value]


@dataclass(frozen=True, slots=True)
class PendingWebhook:
    """A webhook that was not delivered yet; `due` is the time to send it, in seconds since 1970."""

    number: int
    user_id: str
    body: str
    due: float
    attempts: int
    error: str


class AccountState(StateFile):
    """The account's SQLite file. Each method is one transaction."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, read_migrations(Path(__file__).parent))

    def clear(self) -> None:
        """Delete everything."""
        with self.writing() as db:
            for table in ("profile", "member", "event", "delivery", "meta"):
                db.execute("DELETE FROM " + table)  # noqa: S608

    def profile(self, kind: Kind, id_: str) -> Profile | None:
        """Find a profile."""
        with self.reading() as db:
            row = db.execute("SELECT body FROM profile WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
        return None if row is None else json.loads(row[0])

    def profiles(self, kind: Kind) -> dict[str, Profile]:
        """Return all profiles by their IDs."""
        with self.reading() as db:
            rows = db.execute("SELECT id, body FROM profile WHERE kind = ? ORDER BY id", (kind,)).fetchall()
        return {id_: json.loads(body) for id_, body in rows}

    def change_profile(self, kind: Kind, id_: str, changes: Mapping[str, Value]) -> None:
        """Set attributes of a profile and remove those that are null; create the profile if needed."""
        with self.writing() as db:
            row = db.execute("SELECT body FROM profile WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
            body = {**(json.loads(row[0]) if row else {}), **changes}
            attributes = {name: value for name, value in body.items() if value is not None}
            db.execute("INSERT OR REPLACE INTO profile VALUES (?, ?, ?)", (kind, id_, json.dumps(attributes)))

    def delete_profile(self, kind: Kind, id_: str) -> None:
        """Delete a profile and its group memberships."""
        with self.writing() as db:
            db.execute("DELETE FROM profile WHERE kind = ? AND id = ?", (kind, id_))
            if kind == "user":
                db.execute("DELETE FROM member WHERE user_id = ?", (id_,))

    def add_members(self, group_id: str, user_ids: Iterable[str]) -> None:
        """Add users to a group."""
        with self.writing() as db:
            db.executemany("INSERT OR IGNORE INTO member VALUES (?, ?)", ((group_id, user_id) for user_id in user_ids))

    def add_events(self, events: Iterable[Mapping[str, Any]], *, due: float | None = None) -> None:
        """Store events; with `due` they are also sent as webhooks."""
        rows = [(str(event["user_id"]), json.dumps(event)) for event in events]
        with self.writing() as db:
            db.executemany("INSERT INTO event (user_id, body) VALUES (?, ?)", rows)
            if due is not None:
                webhooks = ((user_id, body, due) for user_id, body in rows)
                db.executemany("INSERT INTO delivery (user_id, body, due) VALUES (?, ?, ?)", webhooks)

    def events(self, user_id: str, limit: int) -> list[dict[str, Any]]:
        """List the newest events of a user, the newest first."""
        with self.reading() as db:
            query = "SELECT body FROM event WHERE user_id = ? ORDER BY number DESC LIMIT ?"
            return [json.loads(row[0]) for row in db.execute(query, (user_id, limit))]

    def list_pending(self, *, due: float | None = None, limit: int = -1) -> list[PendingWebhook]:
        """List the pending webhooks that are due at a time, or all if `due` is None, oldest first."""
        query = (
            "SELECT number, user_id, body, due, attempts, error FROM delivery WHERE due <= ? ORDER BY number LIMIT ?"
        )
        with self.reading() as db:
            return [PendingWebhook(*row) for row in db.execute(query, (due if due is not None else 9e99, limit))]

    def count_pending(self) -> int:
        """Count the pending webhooks."""
        with self.reading() as db:
            return int(db.execute("SELECT count(*) FROM delivery").fetchone()[0])

    def delete_pending(self) -> int:
        """Delete the pending webhooks and return their number."""
        with self.writing() as db:
            return db.execute("DELETE FROM delivery").rowcount

    def settle(self, numbers: Collection[int], later: Iterable[PendingWebhook]) -> None:
        """Delete the webhooks that were sent and store the retry times of the others."""
        with self.writing() as db:
            db.executemany("DELETE FROM delivery WHERE number = ?", ((number,) for number in numbers))
            rows = ((pending.due, pending.attempts, pending.error, pending.number) for pending in later)
            db.executemany("UPDATE delivery SET due = ?, attempts = ?, error = ? WHERE number = ?", rows)

    def setting(self, key: str) -> Any:
        """Read a setting; None if it is not set."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set(self, key: str, value: Any) -> None:
        """Write a setting."""
        with self.writing() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))
