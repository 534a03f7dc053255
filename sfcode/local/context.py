"""What every route of the local org is given."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sfcode.local import auth
from sfcode.local.auth import Session
from sfcode.local.clock import Clock, SystemClock
from sfcode.local.faults import Faults
from sfcode.local.store import Store, Tx
from sfcode.local.usage import Usage


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """The org's own identity, from its Organization row."""

    org_id: str
    name: str
    organization_type: str
    instance_name: str
    sandbox: bool


@dataclass(frozen=True)
class Context:
    """State, time and chance of one local org."""

    store: Store
    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.SystemRandom)
    faults: Faults = field(default_factory=Faults)
    usage: Usage = field(default_factory=Usage)

    def signed_in(self, token: str | None) -> Session | None:
        """Find the user behind an access token (of a SOAP SessionHeader or an Authorization header)."""
        if not token:
            return None
        now = self.clock.now()
        with self.store.read() as tx:
            found, row = auth.session(tx, token, now), tx.session(token)
        if found is not None and row is not None and row.half_gone(now):
            with self.store.transaction() as tx:
                tx.prolong_session(row, now=now)
        return found

    def org(self, tx: Tx) -> OrgFacts:
        """Read the org's identity."""
        row = tx.records("Organization")[0]
        return OrgFacts(
            org_id=str(row["Id"]),
            name=str(row["Name"]),
            organization_type=str(row["OrganizationType"]),
            instance_name=str(row["InstanceName"]),
            sandbox=bool(row["IsSandbox"]),
        )
