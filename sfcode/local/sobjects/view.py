"""An org as one user sees it: the objects, fields and records that this user's rights open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import Transaction


@dataclass(frozen=True)
class UserView:
    """What reading for a user goes through, within one transaction."""

    tx: Transaction
    access: UserAccess
    catalog: Catalog
    rows: Rows
    now: datetime

    @classmethod
    def of(cls, tx: Transaction, user_id: str, now: datetime) -> UserView:
        """Look at the org with a user's eyes."""
        access = UserAccess(tx, user_id)
        catalog = Catalog(tx, access)
        return cls(tx, access, catalog, Rows(tx, catalog, now), now)
