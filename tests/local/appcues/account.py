"""Calls to a local Appcues, with its credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from sfcode.local.appcues import LocalAppcues, serve_appcues
from tests.waiting import PATIENCE


@dataclass
class Appcues:
    """One served account, with calls to its API and its control route."""

    account: LocalAppcues
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.auth = (self.account.api_key, self.account.api_secret)

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"{self.account.url}/v2/accounts/1/{path}", timeout=PATIENCE, **more)

    def control(self, method: str, path: str, **more: Any) -> Any:
        answer = self.session.request(method, f"{self.account.url}/sfcode/{path}", timeout=PATIENCE, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def user(self, user_id: str) -> Any:
        return self.api("GET", f"users/{user_id}/profile").json()

    def patch(self, user_id: str, **attributes: Any) -> requests.Response:
        return self.api("PATCH", f"users/{user_id}/profile", json=attributes)

    def arm(self, kind: str, **more: Any) -> Any:
        return self.control("POST", "faults", json={"kind": kind, **more})

    def trigger(self, *events: dict[str, Any]) -> list[str]:
        return self.control("POST", "trigger", json=list(events))["event_ids"]

    def hook(self, url: str, **more: Any) -> Any:
        return self.control("PUT", "webhook", json={"url": url, **more})

    def requests(self) -> list[tuple[str, str, int | None]]:
        entries = self.control("GET", "requests")["requests"]
        return [(entry["method"], entry["path"], entry["status"]) for entry in entries]


@contextmanager
def serving(state: Path, **more: Any) -> Iterator[Appcues]:
    """Serve an account until the block ends."""
    with serve_appcues(state, **more) as account, requests.Session() as session:
        yield Appcues(account, session)
