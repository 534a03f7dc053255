"""An org as one user sees it: the objects, fields and records that this user's rights open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sfcode.local.sobjects.access import Access
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import Tx


@dataclass(frozen=True)
class View:
    """What reading for a user goes through, within one transaction."""

    tx: Tx
    access: Access
    catalog: Catalog
    rows: Rows
    now: datetime

    @classmethod
    def of(cls, tx: Tx, user_id: str, now: datetime) -> View:
        """Look at the org with a user's eyes."""
        access = Access(tx, user_id)
        catalog = Catalog(tx, access)
        return cls(tx, access, catalog, Rows(tx, catalog, now), now)
