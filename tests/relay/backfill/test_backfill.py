"""Every record is sent once through Bulk API 2.0, also after an interruption."""

from __future__ import annotations

import json

import pytest

from sfcode.errors import OrgError
from sfcode.relay.backfill import backfill as module
from sfcode.relay.backfill.backfill import backfill, load_progress
from sfcode.relay.backfill.records import setting_of
from tests.relay.backfill.conftest import count, entries


@pytest.fixture(scope="module", autouse=True)
def people(place):
    return [place.add(72000 + number, Title=f'"T", {number}\nü' if number else None) for number in range(25)]


@pytest.fixture
def run(place, inbox):
    reports: list[str] = []

    def start(*, restart: bool = False):
        progress = backfill(place.org, inbox, place.contact, reports.append, restart=restart, sleep=lambda _: None)
        return progress, reports

    return start


def test_every_record_becomes_a_message(place, inbox, run):
    progress, _ = run()
    found_entries = entries(inbox)
    contacts = place.org.query("SELECT Product_User_Id__c, Title FROM Contact WHERE Product_User_Id__c != null")
    assert set(found_entries) == {f"user:{row['Product_User_Id__c']:.0f}" for row in contacts}
    assert progress.done
    assert progress.records == len(contacts)
    assert found_entries["user:72000"].payload["record"]["Title"] is None
    assert found_entries["user:72007"].payload["record"]["Title"] == '"T", 7\nü'
    assert found_entries["user:72007"].payload["origin"] == "backfill"
    assert found_entries["user:72007"].payload["complete"] is True


def test_an_interrupted_backfill_continues_after_the_last_stored_page(place, inbox, run, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 10)
    real, pages = type(place.org.bulk).page, []

    def torn(self, job, locator, most):
        pages.append(locator)
        if len(pages) == 3:
            raise OrgError("the line was cut")
        return real(self, job, locator, most)

    monkeypatch.setattr(type(place.org.bulk), "page", torn)
    with pytest.raises(OrgError, match="cut"):
        run()
    stopped = load_progress(inbox, place.contact)
    assert (stopped.records, stopped.done) == (20, False)
    assert count(inbox) == 20
    progress, reports = run()
    assert pages[3] == stopped.locator
    assert progress.job == stopped.job
    assert progress.records == count(inbox)
    assert "contact: continues after 20 records" in reports


def test_a_completed_backfill_is_repeated_only_with_restart(place, inbox, run):
    first, _ = run()
    before = count(inbox)
    second, _ = run()
    assert second == first
    anew, _ = run(restart=True)
    assert anew.job != first.job
    assert count(inbox) == 2 * before


def test_a_job_that_the_org_deleted_is_started_again(place, inbox, run):
    inbox.remember(
        setting_of(place.contact, "backfill"), json.dumps({"job": "750000000000000AAA", "version": version(place)})
    )
    progress, reports = run()
    assert progress.done
    assert any("no longer has the results" in line for line in reports)


def test_a_changed_field_list_starts_the_backfill_again(place, inbox, run):
    inbox.remember(setting_of(place.contact, "backfill"), '{"job": "750000000000000AAA", "version": "00000000"}')
    progress, reports = run()
    assert progress.version == version(place)
    assert any("fields have changed" in line for line in reports)


def version(place) -> str:
    from sfcode.mapping.resolved import message_version

    return message_version(place.contact.message_fields)


def test_an_org_without_the_bulk_api_has_its_own_error(place, inbox, run, monkeypatch):
    def disabled(self, soql):
        raise OrgError("API_DISABLED_FOR_ORG: API is not enabled for this Organization", code="API_DISABLED_FOR_ORG")

    monkeypatch.setattr(type(place.org.bulk), "start", disabled)
    with pytest.raises(OrgError, match=r"Bulk API 2\.0") as caught:
        run()
    assert "reconcile" in caught.value.hint
