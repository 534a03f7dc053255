"""How a run takes a lock, waits for it or takes it over, for every sequence of answers of the org."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from sfcode.apply.lock import PAUSE, hold_lock
from sfcode.apply.lock_holder import Holder, describe_run
from sfcode.errors import OrgError, Refused
from tests.apply.scripted_locks import (
    BUSY,
    DEPLOYMENT,
    ENDED,
    FORBIDDEN,
    LOST,
    OTHER,
    TAKEN,
    ScriptedLocks,
    hold,
    row_of,
)

WAITING = "Waiting for `sfcode apply` of me@example.com (jane@ci-7, process 77) since 2026-03-18 12:00:00 UTC"


class TestTaking:
    def test_a_free_lock_takes_one_request(self) -> None:
        org = ScriptedLocks(["0811"])
        assert hold(org) == []
        assert org.calls == ["create Test_sfcode_lock", "hold 0811", "delete 0811"]

    def test_a_lock_contains_its_holder_and_an_explanation_and_is_not_cached_publicly(self) -> None:
        holder, org = describe_run("apply"), ScriptedLocks(["0811"])
        hold(org, holder)
        assert base64.b64decode(org.created.pop("Body")) == b"One sfcode apply at a time. See the description.\n"
        assert org.created == {
            "Name": "Test_sfcode_lock",
            "CacheControl": "Private",
            "ContentType": "text/plain",
            "Description": holder.text(),
        }

    def test_a_lock_that_another_run_takes_between_the_requests_is_waited_for(self) -> None:
        org = ScriptedLocks([TAKEN, BUSY, TAKEN, "0812"], [None, row_of(OTHER)])
        assert hold(org, patience=60) == [WAITING]
        assert org.calls[-2:] == ["hold 0812", "delete 0812"]

    def test_a_lock_without_a_holder_is_waited_for_until_it_expires(self) -> None:
        org = ScriptedLocks([TAKEN], [row_of(OTHER, Description="by hand")])
        with pytest.raises(Refused) as refused:
            hold(org)
        assert refused.value.message == "The org is locked by me@example.com since 2026-03-18 12:00:00 UTC."
        assert refused.value.hint.startswith("Wait for it with --lock-timeout 5m.")

    @pytest.mark.parametrize("holder", [replace(OTHER, deployment=DEPLOYMENT), replace(OTHER, detached=True)])
    def test_a_run_that_has_not_ended_or_deployed_nothing_can_only_be_waited_for(self, holder: Holder) -> None:
        org = ScriptedLocks([TAKEN], [row_of(holder)], status=False)
        with pytest.raises(Refused) as refused:
            hold(org)
        assert refused.value.hint.startswith("Wait for it with --lock-timeout 5m.")

    def test_a_lock_released_between_the_first_two_requests_is_taken_at_once(self) -> None:
        org = ScriptedLocks([TAKEN, "0812"])
        assert hold(org) == []
        assert org.calls[2:4] == ["create Test_sfcode_lock", "hold 0812"]
        assert org.slept == []

    def test_an_org_that_refuses_the_lock_itself_is_not_waited_for(self) -> None:
        org = ScriptedLocks([FORBIDDEN])
        with pytest.raises(OrgError) as refused:
            hold(org, patience=60)
        assert refused.value.message == (
            "StaticResource:Test_sfcode_lock, the lock against concurrent applies, cannot be created: no access"
        )
        assert refused.value.hint == (
            "This needs the permission Customize Application. Pass --no-lock to apply without the lock."
        )
        assert refused.value.code == "INSUFFICIENT_ACCESS"
        assert org.slept == []
        with pytest.raises(OrgError, match="Ask them") as refused:
            hold(ScriptedLocks([OrgError("no access", "Ask them.", code="INSUFFICIENT_ACCESS")]))
        assert refused.value.hint == "Ask them."

    def test_a_name_in_use_by_a_lock_that_is_never_seen_is_the_error_of_the_org(self) -> None:
        org = ScriptedLocks([TAKEN])
        with pytest.raises(OrgError) as refused:
            hold(org, patience=3)
        assert refused.value is TAKEN
        assert org.slept == [PAUSE, 3 - PAUSE]

    @pytest.mark.parametrize("code", ["ALREADY_IN_PROCESS", "UNABLE_TO_LOCK_ROW"])
    def test_another_change_of_the_setup_is_waited_for(self, code: str) -> None:
        org = ScriptedLocks([OrgError("busy", code=code)] * 2 + ["0811"])
        assert hold(org, patience=60) == ["Waiting for another change of the setup of this org"]
        assert org.slept == [PAUSE, PAUSE]
        busy = ScriptedLocks([BUSY])
        with pytest.raises(OrgError) as refused:
            hold(busy)
        assert refused.value is BUSY
        assert busy.calls == ["create Test_sfcode_lock", "query Test_sfcode_lock"]

    def test_a_lock_of_this_run_whose_response_was_lost_is_held(self) -> None:
        holder = describe_run("apply")
        org = ScriptedLocks([LOST], [row_of(holder, "0813")])
        assert hold(org, holder) == []
        assert org.calls[2:] == ["hold 0813", "delete 0813"]

    def test_every_holder_that_is_waited_for_is_named_once(self) -> None:
        second = replace(OTHER, id="2", user="joe")
        org = ScriptedLocks([TAKEN], [row_of(OTHER), row_of(OTHER), row_of(second)])
        with pytest.raises(Refused, match="locked by `sfcode apply` of me@example.com \\(joe@ci-7") as refused:
            hold_and_collect(org, lines := [])
        assert lines == [WAITING, WAITING.replace("jane", "joe")]
        assert org.slept == [PAUSE] * 4 + [1.0]
        assert refused.value.hint == (
            "Wait for it with --lock-timeout 5m. If its process has ended: the lock expires 10 minutes after its last "
            "renewal (12:00:00 UTC), or at once with `sfcode force-unlock 0811`."
        )

    def test_a_stale_lock_is_deleted_and_taken(self) -> None:
        org = ScriptedLocks([TAKEN, "0812"], [row_of(ENDED)])
        (line,) = hold(org)
        assert line == (
            f"Taking over the lock of `sfcode apply` of me@example.com ({ENDED.user}@{ENDED.host}, process {ENDED.pid}) "
            "since 2026-03-18 12:00:00 UTC: its process does not run any more"
        )
        assert org.calls[2:4] == ["delete 0811", "create Test_sfcode_lock"]

    @pytest.mark.parametrize("holder", [replace(OTHER, detached=True), ENDED])
    def test_a_running_deployment_of_a_run_that_has_ended_names_the_command_that_follows_it(
        self, holder: Holder
    ) -> None:
        org = ScriptedLocks([TAKEN], [row_of(replace(holder, deployment=DEPLOYMENT))], status=False)
        with pytest.raises(Refused) as refused:
            hold(org)
        assert refused.value.hint == f"Its deployment continues: follow it with `sfcode apply --attach {DEPLOYMENT}`."


def hold_and_collect(org: Any, lines: list[str]) -> None:
    with hold_lock(org, "Test", describe_run("apply"), patience=9, report=lines.append):
        raise AssertionError("two hold the lock")
