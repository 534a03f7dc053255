"""
A relay for measurements: the real server, ingress and inbox, with writers that settle every message as done at once.

    python -m benchmarks.relay_server DATABASE_URL [--forget]

With --forget it answers without storing anything, for comparison. It prints its port, and serves until it is stopped.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

from benchmarks.measure import ROOT
from sfcode.config import load
from sfcode.org import Org
from sfcode.relay import log
from sfcode.relay.appcues import FieldTypeCache
from sfcode.relay.config import ConfigReloader, ConfigSource, RelayConfig, stamp_files
from sfcode.relay.inbox import open_inbox
from sfcode.relay.main import build_ingress
from sfcode.relay.message import Claim, Delivered, Delivery, InboxMessage, Source
from sfcode.relay.salesforce.writer import SalesforceWriter
from sfcode.relay.server import listen, run
from sfcode.relay.service import Builders, Service
from sfcode.relay.settings import read_settings
from tests.relay.serving import IdentityOrg

WEBHOOK = "webhook-0123456789abcdef"
ENVIRON = {
    "APPCUES_API_KEY": "key",
    "APPCUES_API_SECRET": "secret",
    "SFCODE_RELAY_OUTBOUND_SECRET": "outbound-0123456789abcdef",
    "SFCODE_RELAY_WEBHOOK_SECRET": WEBHOOK,
}


@dataclass
class InstantWriter:
    """A writer that settles every message as done."""

    source: Source
    limit: int = SalesforceWriter.limit
    per_key: int = SalesforceWriter.per_key
    keys: int = SalesforceWriter.keys

    async def deliver(self, claim: Claim) -> Delivery:
        """Return a delivery in which every message of the claim is done."""
        return Delivery({message.id: Delivered() for message in claim.messages})

    async def close(self) -> None:
        """Do nothing."""


async def _forget(messages: Sequence[InboxMessage]) -> int:
    return len(messages)


def main() -> None:
    """Serve a relay until the process is stopped."""
    database, forget = sys.argv[1], "--forget" in sys.argv
    log.configure(sys.stderr)
    project = load(ROOT / "config", "local")
    environ = {**ENVIRON, "SFCODE_RELAY_DATABASE_URL": database}
    config = RelayConfig(project, read_settings(project, environ, host="127.0.0.1", port=0))
    with listen("127.0.0.1", 0) as listener, open_inbox(database) as inbox:
        builders = Builders(
            lambda _config: cast(Org, IdentityOrg()),
            partial(build_ingress, accept=_forget) if forget else build_ingress,
            lambda *_: InstantWriter("appcues"),
            lambda *_: InstantWriter("salesforce"),
            lambda config: FieldTypeCache(config.project, inbox),
        )
        service = Service(
            config,
            inbox,
            builders,
            retry_delay=lambda *_: timedelta(),
            rng=random.Random(1),  # noqa: S311 (a measurement can be repeated)
        )
        source = ConfigSource(ROOT / "config", lambda: config, stamp_files(ROOT / "config"))
        run(service, listener, lambda: print(listener.getsockname()[1], flush=True), ConfigReloader(source, service))


if __name__ == "__main__":
    main()
