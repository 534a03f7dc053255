"""One local org for all pairs, with the records that the requests name."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfcode.local import LocalOrg, reset, serve
from tests.local.conftest import HandClock, Rest
from tests.local.signin.conftest import ADMIN

VERSION = "63.0"


@dataclass(frozen=True)
class RecordedWorld:
    """An org, and the placeholders for its records in requests and answers, such as `{contact}`."""

    org: LocalOrg
    rest: Rest
    names: dict[str, str]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedWorld]:
    """Serve a company with a few records."""
    state: Path = tmp_path_factory.mktemp("recorded")
    reset(state, clock=HandClock(), rng=random.Random(1))
    with serve(state, clock=HandClock(), rng=random.Random(2)) as org:
        rest = Rest(org, version=VERSION)
        account = rest.create("Account", Name="Recorded")
        names = {
            "version": VERSION,
            "account": account,
            "contact": rest.create("Contact", LastName="Recorded", Email="recorded@example.com", AccountId=account),
            "other": rest.create("Contact", LastName="Other"),
            "lead": rest.create("Lead", LastName="Recorded", Company="Recorded"),
            "gone": rest.create("Contact", LastName="Gone"),
            "user": rest.value(f"SELECT Id FROM User WHERE Username = '{ADMIN}'"),
            "username": ADMIN,
            "token": org.access_token,
            "origin": org.url,
        }
        rest("DELETE", f"/sobjects/Contact/{names['gone']}")
        rest("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert"})
        with rest.session:
            yield RecordedWorld(org, rest, names)
