"""Values that differ from those in Appcues, such as values of formulas, are found by a comparison and sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfcode.config import load
from sfcode.config.project import Project
from sfcode.errors import OrgError
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.metadata.component import Component
from sfcode.relay.backfill import backfill as module
from sfcode.relay.backfill.backfill import Progress, backfill, load_progress
from sfcode.relay.backfill.refresh import refresh
from sfcode.relay.inbox import Filter, Inbox
from tests.e2e.org import assign, deploy
from tests.local.appcues.account import serving
from tests.relay.appcues.appcues_relay import AppcuesRelay
from tests.relay.backfill.conftest import Place

COMPANY = {"label": "Company", "type": "Text", "formula": "Account.Name", "formulaTreatBlanksAs": "BlankAsZero"}


@pytest.fixture(scope="module")
def project(place: Place) -> Project:
    """Send the name of a contact's account, by a formula."""
    field_permissions = {"Contact.Company__c": {"editable": False, "readable": True}}
    deploy(
        place.local,
        Component("CustomField", "Contact.Company__c", COMPANY),
        Component("PermissionSet", "Companies", {"label": "Companies", "fieldPermissions": field_permissions}),
    )
    assign(place.org, "Companies")
    place.journey.edit("mappings/contact.yaml", "plan: Plan__c", "plan: Plan__c\n    company: Company__c")
    return load(place.journey.folder / "config", "local")


@pytest.fixture
def contact(project: Project) -> ResolvedMapping:
    return next(mapping for mapping in project.resolved if mapping.name == "contact")


@pytest.fixture
def relay(
    place: Place, project: Project, contact: ResolvedMapping, inbox: Inbox, tmp_path: Path
) -> Iterator[AppcuesRelay]:
    """Return a relay that has delivered every record once to an Appcues account."""
    with serving(tmp_path / "appcues", rate=None) as appcues:
        relay = AppcuesRelay(project, inbox, appcues, org=place.org)  # type: ignore[arg-type]
        try:
            backfill(place.org, inbox, contact, lambda _: None, restart=False, sleep=lambda _: None)
            deliver(relay)
            yield relay
        finally:
            relay.close()


def deliver(relay: AppcuesRelay) -> None:
    while any(state == "ready" for state, _ in relay.deliver().values()):
        pass


@pytest.fixture
def run(place: Place, contact: ResolvedMapping, inbox: Inbox, relay: AppcuesRelay):
    def start() -> Progress:
        assert relay.types is not None
        views = relay.types.mapping_views
        return refresh(place.org, inbox, contact, views, lambda _: None, sleep=lambda _: None)

    return start


def person(place: Place) -> tuple[str, str, str]:
    """Return a user ID, and the IDs of the contact and its account."""
    (row,) = place.org.query(
        "SELECT Id, AccountId, Product_User_Id__c FROM Contact WHERE Product_User_Id__c = 10001 AND AccountId != null"
    )
    return "10001", row["Id"], row["AccountId"]


def queued(inbox: Inbox) -> list[tuple[str, dict[str, object]]]:
    entries = [entry for entry in inbox.page(Filter(), 10_000) if entry.payload["origin"] == "refresh"]
    return [(entry.key, entry.payload["record"]) for entry in entries]


def test_only_records_with_a_changed_formula_are_sent(place: Place, inbox: Inbox, relay: AppcuesRelay, run) -> None:
    user, contact_id, account = person(place)
    assert (run().queued, queued(inbox)) == (0, [])
    before = place.org.query(f"SELECT SystemModstamp FROM Contact WHERE Id = '{contact_id}'")
    place.org.update("Account", account, {"Name": "Renamed"})
    assert place.org.query(f"SELECT SystemModstamp FROM Contact WHERE Id = '{contact_id}'") == before
    progress = run()
    queued_records = dict(queued(inbox))
    assert progress.queued == len(queued_records)
    assert queued_records[f"user:{user}"].keys() == {"Id", "SystemModstamp", "Appcues_User_Id__c", "Company__c"}
    assert {record["Company__c"] for record in queued_records.values()} == {"Renamed"}
    title = relay.profile(user)["role"]
    deliver(relay)
    assert (relay.profile(user)["company"], relay.profile(user)["role"]) == ("Renamed", title)
    assert run().queued == 0
    place.org.update("Account", account, {"Name": "Renamed again"})
    assert run().queued == progress.queued
    deliver(relay)
    assert relay.profile(user)["company"] == "Renamed again"


def test_a_formula_that_became_blank_clears_its_attribute(place: Place, inbox: Inbox, relay: AppcuesRelay, run) -> None:
    user, _, _ = person(place)
    deploy(place.local, Component("CustomField", "Contact.Company__c", {**COMPANY, "formula": "Account.Site"}))
    try:
        run()
        deliver(relay)
        assert "company" not in {k: v for k, v in relay.profile(user).items() if v is not None}
        assert run().queued == 0
    finally:
        deploy(place.local, Component("CustomField", "Contact.Company__c", COMPANY))


def test_a_value_that_never_reached_appcues_is_sent(place: Place, inbox: Inbox, relay: AppcuesRelay, run) -> None:
    place.add(73001, Title="New")
    assert run().queued == 1
    deliver(relay)
    assert relay.profile("73001")["role"] == "New"


def test_an_older_page_does_not_overwrite_newer_values(
    place: Place, inbox: Inbox, relay: AppcuesRelay, run, monkeypatch
) -> None:
    """The job reads all records first, so values that are delivered while its pages are fetched are newer than its own."""
    user, contact_id, _ = person(place)
    real = type(place.org.bulk).page

    def late(self, job, locator, most):
        page = real(self, job, locator, most)
        stamp = "2099-01-01T00:00:00.000Z"
        relay.inbox.accept([newer(relay, contact_id, user, stamp)])
        deliver(relay)
        return page

    monkeypatch.setattr(type(place.org.bulk), "page", late)
    run()
    assert queued(inbox) == []
    assert relay.profile(user)["role"] == "Younger"


def newer(relay: AppcuesRelay, contact_id: str, user: str, stamp: str):
    from sfcode.relay.message import InboxMessage

    mapping = next(mapping for mapping in relay.project.resolved if mapping.name == "contact")
    record = dict.fromkeys(mapping.message_fields) | {
        "Id": contact_id,
        "SystemModstamp": stamp,
        mapping.user_id.field: user,
        "Title": "Younger",
    }
    payload = {
        "mapping": "contact",
        "version": mapping.message_version,
        "record": record,
        "complete": True,
        "origin": "x",
    }
    return InboxMessage("salesforce", f"newer:{stamp}", f"user:{user}", "contact", payload)


def test_an_interrupted_refresh_continues(place: Place, inbox: Inbox, contact, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "PAGE", 10)
    real, pages = type(place.org.bulk).page, []

    def torn(self, job, locator, most):
        pages.append((job, locator))
        if len(pages) == 2:
            raise OrgError("the line was cut")
        return real(self, job, locator, most)

    monkeypatch.setattr(type(place.org.bulk), "page", torn)
    with pytest.raises(OrgError, match="cut"):
        run()
    stopped = load_progress(inbox, contact, "refresh")
    assert stopped is not None
    assert (stopped.records, stopped.done) == (10, False)
    assert run().done
    assert pages[2] == pages[1]
    assert run().job != stopped.job
