"""The repository's own project, applied to a local org, and an inbox without a worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sfcode.config import load
from sfcode.config.project import Project
from sfcode.local import LocalOrg, serve
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.org import Org
from sfcode.relay.inbox import Filter, Inbox, InboxEntry, open_inbox
from tests.e2e.journey import Journey
from tests.e2e.org import opened, show_fields


@dataclass
class Place:
    """The resources that the tests of one file share."""

    journey: Journey
    local: LocalOrg
    org: Org
    project: Project
    contact: ResolvedMapping

    def add(self, user: int, **values: Any) -> str:
        (account,) = self.org.query("SELECT Id FROM Account LIMIT 1")  # a contact without an account would be private
        defaults = {"LastName": f"User {user}", "Product_User_Id__c": user, "AccountId": account["Id"]}
        return self.org.create("Contact", defaults | values)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    journey = Journey.start(tmp_path_factory.mktemp("project"))
    assert journey.apply().code == 0
    project = load(journey.folder / "config", "local")
    contact = next(mapping for mapping in project.resolved if mapping.name == "contact")
    with serve(journey.folder / ".sfcode" / "local-org") as local, opened(local) as org:
        show_fields(local)
        yield Place(journey, local, org, project, contact)


@pytest.fixture
def inbox(sqlite_inbox_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_inbox_url) as inbox:
        yield inbox


def entries(inbox: Inbox) -> dict[str, InboxEntry]:
    """Return the messages of the inbox by key."""
    return {entry.key: entry for entry in inbox.page(Filter(), 10_000)}


def count(inbox: Inbox) -> int:
    """Return the number of messages; two contacts of the shipped company share a user ID."""
    return len(inbox.page(Filter(), 10_000))
