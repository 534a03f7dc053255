"""Changes that Salesforce could not send during an outage are read from the org."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from sfcode.errors import OrgError, UsageError
from sfcode.lazy_dataclasses import replace
from sfcode.mapping.resolved import message_version
from sfcode.relay.backfill.reconcile import MARGIN, RECONCILED, reconcile, reconciled_until, start_time
from sfcode.relay.backfill.records import recall_setting, sending_mappings, setting_of, soql_time
from tests.e2e.org import opened
from tests.relay.backfill.conftest import count, entries


def a_moment_ago(place):
    return place.org.now() - timedelta(seconds=1)


def test_changed_records_become_messages_with_nulls(place, inbox):
    since = a_moment_ago(place)
    record = place.add(71001, Title="Chief", Email=None)
    outcome = reconcile(place.org, inbox, place.contact, since)
    assert (outcome.mapping, outcome.new) == ("contact", outcome.records)
    entry = entries(inbox)["user:71001"]
    version = message_version(place.contact.message_fields)
    assert (entry.source, entry.kind, entry.state) == ("salesforce", "contact", "ready")
    assert entry.payload["mapping"] == "contact"
    assert entry.payload["version"] == version
    assert entry.payload["origin"] == "reconcile"
    assert entry.payload["complete"] is True
    values = entry.payload["record"]
    assert set(values) == set(place.contact.message_fields)
    assert (values["Id"], values["Title"], values["Email"]) == (record, "Chief", None)
    assert entry.message_id.startswith(f"reconcile:{record}:2")
    assert entry.message_id.endswith(f"Z:{version}")


def test_the_same_state_is_sent_once_and_a_new_one_again(place, inbox):
    since = a_moment_ago(place)
    record = place.add(71002)
    first = reconcile(place.org, inbox, place.contact, since)
    second = reconcile(place.org, inbox, place.contact, since)
    assert second.records == first.records
    assert second.new == 0
    time.sleep(1.0)  # SystemModstamp is in whole seconds
    place.org.update("Contact", record, {"Title": "Changed"})
    assert reconcile(place.org, inbox, place.contact, since).new == 1


def test_reconcile_continues_at_its_last_end_minus_a_margin(place, inbox):
    reconcile(place.org, inbox, place.contact, a_moment_ago(place))
    before = reconciled_until(inbox, place.contact)
    assert before is not None
    place.add(71003)
    outcome = reconcile(place.org, inbox, place.contact, None)
    assert soql_time(outcome.since + MARGIN) == before
    assert "user:71003" in entries(inbox)


def test_a_later_beginning_than_the_last_end_leaves_nothing_out_of_the_next_one(place, inbox):
    early = place.org.now() - timedelta(days=7)
    inbox.remember(setting_of(place.contact, RECONCILED), soql_time(early))
    reconcile(place.org, inbox, place.contact, place.org.now() - timedelta(hours=1))
    assert reconciled_until(inbox, place.contact) == soql_time(early)
    reconcile(place.org, inbox, place.contact, early - timedelta(days=1))
    assert reconciled_until(inbox, place.contact) > soql_time(early)


@pytest.mark.parametrize("stored", ["reconciled:contact", "reconciled:Person", "reconciled:person"])
def test_a_renamed_mapping_is_reconciled_from_the_end_of_its_last_run(place, inbox, stored):
    """A later start would leave out the changes of an outage that the rename ended."""
    renamed_mapping = replace(place.contact, name="Person", former_names=("Contact",))
    inbox.remember(stored, "2026-11-01T00:00:00.000Z")
    assert soql_time(start_time(inbox, renamed_mapping, None) + MARGIN) == "2026-11-01T00:00:00.000Z"


def test_the_present_name_of_a_mapping_comes_before_its_former_names(place, inbox):
    renamed_mapping = replace(place.contact, name="person", former_names=("contact",))
    inbox.remember("reconciled:contact", "2026-11-01T00:00:00.000Z")
    inbox.remember(setting_of(renamed_mapping, RECONCILED), "2026-11-02T00:00:00.000Z")
    assert reconciled_until(inbox, renamed_mapping) == "2026-11-02T00:00:00.000Z"
    assert recall_setting(inbox, renamed_mapping, "backfill") is None


def test_reconcile_without_a_start_is_refused(place, inbox):
    with pytest.raises(UsageError, match="never reconciled") as caught:
        reconcile(place.org, inbox, place.contact, None)
    assert "--since" in caught.value.hint


def test_records_without_a_user_id_are_omitted(place, inbox):
    since = a_moment_ago(place)
    place.org.create("Contact", {"LastName": "Nobody"})
    assert reconcile(place.org, inbox, place.contact, since).records == count(inbox)
    assert all(key.startswith("user:") and len(key) > 5 for key in entries(inbox))


def test_a_hidden_field_is_an_error_with_a_hint(place, inbox, tmp_path):
    """The signed-in user is the administrator of an org, who has no access to the new fields."""
    from sfcode.local import serve
    from tests.e2e.journey import Journey

    journey = Journey.start(tmp_path)
    assert journey.apply().code == 0
    with (
        serve(journey.folder / ".sfcode" / "local-org") as local,
        opened(local) as org,
        pytest.raises(OrgError, match="mapping contact") as caught,
    ):
        reconcile(org, inbox, place.contact, a_moment_ago(place))
    assert caught.value.code == "INVALID_FIELD"
    assert "sfcode doctor" in caught.value.hint


def test_only_mappings_of_the_relay_are_reconciled(place):
    assert [mapping.name for mapping in sending_mappings(place.project, None)] == ["contact", "lead"]
    assert [mapping.name for mapping in sending_mappings(place.project, "Lead")] == ["lead"]
    with pytest.raises(UsageError, match="contact, lead"):
        sending_mappings(place.project, "nobody")
