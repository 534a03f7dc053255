"""A relay in this process, with writers of the test, and a real server, inbox and signals."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from sfcode.config import load
from sfcode.errors import OrgUnreachable
from sfcode.metadata.objects import OrgSchema
from sfcode.relay.appcues import FieldTypeCache
from sfcode.relay.config import ConfigReloader, ConfigSource, RelayConfig, stamp_files
from sfcode.relay.inbox import Inbox, open_inbox
from sfcode.relay.main import build_ingress
from sfcode.relay.message import Claim, Delivered, Delivery
from sfcode.relay.server import listen, run
from sfcode.relay.service import Builders, Service
from sfcode.relay.settings import read_settings
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
ORG_ID = "00D000000000001EAA"
ADMIN = "admin-token-0123456789"
WEBHOOK = "webhook-0123456789abcdef"
OUTBOUND = "outbound-0123456789abcdef"
ENVIRON = {
    "APPCUES_API_KEY": "key-0123456789abcdef",
    "APPCUES_API_SECRET": "secret-0123456789abcdef",
    "SFCODE_RELAY_OUTBOUND_SECRET": OUTBOUND,
    "SFCODE_RELAY_WEBHOOK_SECRET": WEBHOOK,
}


@dataclass
class Recorder:
    """A writer that settles everything as done, and records its messages."""

    source: Any
    limit: int = 200
    per_key: int = 10
    keys: int = 200
    delivered: list[str] = field(default_factory=list)
    act: Callable[[Claim], Any] | None = None

    async def deliver(self, claim: Claim) -> Delivery:
        if self.act is not None:
            await self.act(claim)
        self.delivered += [message.message_id for message in claim.messages]
        return Delivery({message.id: Delivered() for message in claim.messages})

    async def close(self) -> None:
        pass


class Identity:
    org_id = ORG_ID
    instance_url = "https://example.my.salesforce.com"


class IdentityOrg:
    """An org that returns only its identity."""

    identity = Identity()
    instance_url = "https://example.my.salesforce.com"

    def describe(self, _names: Any) -> OrgSchema:
        return OrgSchema({}, online=True)

    def close(self) -> None:
        pass


class FailingSignIn:
    """A sign-in that fails a number of times, and then succeeds."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self) -> Any:
        if self.times:
            self.times -= 1
            raise OrgUnreachable("No connection to the org.")
        return IdentityOrg()


@dataclass
class Served:
    """A running relay."""

    url: str
    service: Service
    to_salesforce: Recorder
    to_appcues: Recorder
    session: requests.Session
    admin_url: str = ""

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=PATIENCE, **more)

    def webhook(self, number: int = 1, **event: Any) -> requests.Response:
        """Send an event of a user, with further keys that replace the usual ones."""
        usual = {"name": "appcues:flow_completed", "user_id": f"u{number}", "timestamp": "2026-06-01T08:00:00Z"}
        return self.session.post(f"{self.url}/webhooks/appcues/{WEBHOOK}", json={**usual, **event}, timeout=PATIENCE)

    def message(self, body: bytes) -> requests.Response:
        """Send an outbound message about contacts."""
        url = f"{self.url}/outbound-messages/contact/{OUTBOUND}"
        return self.session.post(url, body, headers={"Content-Type": "text/xml; charset=UTF-8"}, timeout=PATIENCE)


@dataclass
class Relay:
    """The settings of a relay before it is served."""

    database: str
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))
    connect: Any = IdentityOrg
    to_salesforce: Recorder = field(default_factory=lambda: Recorder("appcues"))
    to_appcues: Recorder = field(default_factory=lambda: Recorder("salesforce"))
    make_to_salesforce: Callable[[Service], Any] | None = None
    """Creates a writer that is used instead of `to_salesforce`."""
    has_admin_port: bool = False
    host: str = "127.0.0.1"
    """The host in the settings; the socket is on loopback in any case."""
    open_inbox: Callable[..., Inbox] = open_inbox
    busy_seconds: float = PATIENCE
    """The time in seconds for which the relay waits for its database. The limit of `sfcode relay serve`, BUSY_SECONDS,
    is too short for a busy machine."""

    def config(self, folder: Path = ROOT / "config") -> RelayConfig:
        environ = {**self.environ, "SFCODE_RELAY_DATABASE_URL": self.database}
        project = load(folder, "local")
        return RelayConfig(project, read_settings(project, environ, host=self.host, port=0))

    def serve(self, script: Callable[[Served], Any], folder: Path = ROOT / "config") -> Any:
        """Serve while a script runs in another thread, then stop with SIGTERM; return the script's result."""
        stamps, config = stamp_files(folder), self.config(folder)
        script_done: list[Future[Any]] = []
        make = self.make_to_salesforce or (lambda _service: self.to_salesforce)
        with (
            listen("127.0.0.1", 0) as listener,
            listen("127.0.0.1", 0) as admin_listener,
            self.open_inbox(self.database, busy_seconds=self.busy_seconds) as inbox,
            requests.Session() as session,
            ThreadPoolExecutor(1) as pool,
        ):
            session.trust_env = False
            builders = Builders(
                lambda _: self.connect(),
                build_ingress,
                lambda service, *_: make(service),
                lambda *_: self.to_appcues,
                lambda config: FieldTypeCache(config.project, inbox),
            )
            service = Service(config, inbox, builders, retry_delay=_soon, rng=random.Random(1))
            url, admin_url = (f"http://127.0.0.1:{bound.getsockname()[1]}" for bound in (listener, admin_listener))
            served = Served(url, service, self.to_salesforce, self.to_appcues, session, admin_url)

            def act() -> Any:
                try:
                    return script(served)
                finally:
                    os.kill(os.getpid(), signal.SIGTERM)

            reloader = ConfigReloader(ConfigSource(folder, lambda: self.config(folder), stamps), service)
            ready = lambda: script_done.append(pool.submit(act))  # noqa: E731
            run(service, listener, ready, reloader, admin_listener if self.has_admin_port else None)
            return script_done[0].result(PATIENCE)


def _soon(_message: Any, _retry: Any) -> timedelta:
    return timedelta(milliseconds=1)
