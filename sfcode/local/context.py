"""The context of every route of the local org."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sfcode.local import auth
from sfcode.local.auth import UserSession
from sfcode.local.clock import Clock, SystemClock
from sfcode.local.faults import Faults
from sfcode.local.store import Store, Transaction
from sfcode.local.usage import RequestCounter


@dataclass(frozen=True, slots=True)
class Organization:
    """The identity of the org, from its Organization row."""

    org_id: str
    name: str
    organization_type: str
    instance_name: str
    sandbox: bool


@dataclass(frozen=True)
class OrgContext:
    """The store, clock and random generator of one local org."""

    store: Store
    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.SystemRandom)
    faults: Faults = field(default_factory=Faults)
    usage: RequestCounter = field(default_factory=RequestCounter)

    def signed_in(self, token: str | None) -> UserSession | None:
        """Find the user of an access token (from a SOAP SessionHeader or an Authorization header)."""
        if not token:
            return None
        now = self.clock.now()
        with self.store.read() as tx:
            found, row = auth.find_session(tx, token, now), tx.sessions.get(token)
        if found is not None and row is not None and row.is_half_expired(now):
            with self.store.transaction() as tx:
                tx.sessions.prolong(row, now=now)
        return found

    def org(self, tx: Transaction) -> Organization:
        """Read the org's identity."""
        row = tx.records.list_all("Organization")[0]
        return Organization(
            org_id=str(row["Id"]),
            name=str(row["Name"]),
            organization_type=str(row["OrganizationType"]),
            instance_name=str(row["InstanceName"]),
            sandbox=bool(row["IsSandbox"]),
        )
