"""A mapping whose query the org refuses does not prevent the other mappings from being read."""

from __future__ import annotations

import pytest

from sfcode.errors import OrgError, OrgUnreachable, SignInError
from sfcode.relay.appcues import FieldTypeCache
from sfcode.relay.backfill.records import MappingsRefusedError, run_each
from sfcode.relay.inbox import Filter, Inbox
from sfcode.relay.schedule import scheduled_jobs
from tests.generate.projects import changed, project, settings
from tests.relay.appcues.appcues_relay import CONTACT, LEAD
from tests.relay.backfill.conftest import Place

REFUSED = changed(CONTACT, to_appcues={"attributes": {"role": {"field": "Nowhere__c"}}})
BOTH = project(
    {"contact": REFUSED, "lead": LEAD},
    settings(relay={"url": "https://relay.example.com", "schedule": {"reconcile_hours": 1, "refresh_hours": 1}}),
)


def test_scheduled_jobs_run_for_the_mappings_that_the_org_accepts(place: Place, inbox: Inbox) -> None:
    place.org.create("Lead", {"LastName": "L", "Company": "C", "Title": "Chief", "Product_User_Id__c": 74001})
    jobs = scheduled_jobs(BOTH, place.org, inbox, FieldTypeCache(BOTH, inbox))
    assert {job.name for job in jobs} == {"reconcile", "refresh"}
    for job in jobs:
        with pytest.raises(MappingsRefusedError, match="Nowhere__c") as caught:
            job.work(lambda: None, lambda _: None)
        assert caught.value.code == "INVALID_FIELD"
        (queued,) = caught.value.results
        assert queued > 0
    assert {entry.kind for entry in inbox.page(Filter(), 1000)} == {"lead"}


@pytest.mark.parametrize("error", [OrgUnreachable("no answer"), SignInError("expired")])
def test_an_unreachable_org_is_not_queried_for_every_mapping(error: OrgError) -> None:
    calls: list[str] = []

    def run(mapping: object) -> None:
        calls.append("")
        raise error

    with pytest.raises(type(error)):
        run_each(BOTH.resolved, run)
    assert len(calls) == 1


def test_all_refusals_are_reported() -> None:
    def run(mapping: object) -> None:
        raise (
            OrgError(f"refused {len(calls)}", "a hint", code="INVALID_TYPE") if not calls.append("") else AssertionError
        )

    calls: list[str] = []
    with pytest.raises(MappingsRefusedError) as caught:
        run_each(BOTH.resolved, run)
    assert (caught.value.message, caught.value.hint) == ("refused 1\nrefused 2", "a hint")
    assert run_each((), run) == []
