"""What is written for each kind of record, also after a lost response, and the errors of refused writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from sfcode.apply.records import ON_CREATE, delete_state, write_record, write_state
from sfcode.errors import OrgError, OrgUnreachable
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.state import Applied, state_address
from tests.apply.test_records import ASSIGNMENTS, CREATED, DUPLICATE, USER, describe_request, org_at, runtime, time
from tests.org.conftest import ServeOrg
from tests.org.servers import Answer, HangUp, Request, Server, as_json

__all__ = ["org_at", "runtime", "time"]

LICENSE, PERMISSION_SET = ASSIGNMENTS
STATE = state_address("Appcues")
CAMPAIGN = Component("Campaign", "Webinar", {"CampaignName": "Webinar"})
STATUS = Component("CampaignMemberStatus", "Webinar/Joined", {"CampaignName": "Webinar", "Label": "Joined"})
WRITES = {"POST", "PATCH", "DELETE"}


def refusal(code: str, message: str = "no") -> Answer:
    return as_json([{"errorCode": code, "message": message}], 400)


def id_row(record_id: str) -> dict[str, str]:
    return {"Id": record_id}


@dataclass
class Rows:
    """An org with rows by object, and refused or lost writes by method and object, each once."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    faults: dict[str, list[Answer | HangUp]] = field(default_factory=dict)
    then: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """The rows after the first fault."""

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/composite"):
            parts = json.loads(request.body)["compositeRequest"]
            return as_json({"compositeResponse": [self._answer_part(part["url"]) for part in parts]})
        if waiting := self.faults.get(describe_request(request)):
            self.rows = {**self.rows, **self.then}
            fault = waiting.pop(0)
            if isinstance(fault, HangUp):
                raise fault
            return fault
        if request.method == "GET":
            return as_json(self._page(describe_request(request).split()[1]))
        return CREATED if request.method == "POST" else Answer(204)

    def _answer_part(self, url: str) -> dict[str, Any]:
        if "query?q=" in url:
            profile = {"Id": "00e000000000001AAA", "Name": "Standard", "UserLicense": {"Name": "Salesforce"}}
            return {"httpStatusCode": 200, "body": {"done": True, "totalSize": 1, "records": [profile]}}
        return {"httpStatusCode": 404, "body": [{"errorCode": "NOT_FOUND", "message": "none"}]}

    def _page(self, name: str) -> dict[str, Any]:
        rows = list(self.rows.get(name, ()))
        return {"done": True, "totalSize": len(rows), "records": rows}


def list_writes(server: Server) -> list[tuple[str, Any]]:
    """Return method, object or path, and body of each write."""
    return [
        (f"{request.method} {request.path.split('/sobjects/')[1]}", json.loads(request.body or "null"))
        for request in server.requests
        if request.method in WRITES and "/sobjects/" in request.path
    ]


class TestUser:
    def test_is_created_with_its_profile_an_alias_and_the_required_fields(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows())
        write_record(org, Change(USER.address, None, USER))
        values = {"Username": "relay@example.com", "LastName": "Relay", "ProfileId": "00e000000000001AAA"}
        assert list_writes(server) == [("POST User/", {**values, **ON_CREATE, "Alias": "relay"})]

    @pytest.mark.parametrize(
        ("name", "alias"),
        [("Appcues Integration", "appcuesi"), ("R2-D2", "r2d2"), ("Zoë Ümit", "zomit"), ("—", "sfcode")],
    )
    def test_has_an_alias_of_the_letters_and_digits_of_its_name(self, org_at: ServeOrg, name: str, alias: str) -> None:
        server, org = org_at(Rows())
        user = Component("User", "relay@example.com", {"LastName": name, "Profile": "standard"})
        write_record(org, Change(user.address, None, user))
        assert list_writes(server)[0][1]["Alias"] == alias

    def test_is_not_created_again_if_only_the_response_was_lost(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows(faults={"POST User": [HangUp()]}, then={"User": [id_row("005000000000001AAA")]}))
        write_record(org, Change(USER.address, None, USER))
        assert len(list_writes(server)) == 1

    def test_is_created_again_if_the_request_was_lost(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows(faults={"POST User": [HangUp()]}))
        write_record(org, Change(USER.address, None, USER))
        assert len(list_writes(server)) == 2

    def test_is_updated_only_in_what_differs(self, org_at: ServeOrg) -> None:
        before = Component("User", USER.full_name, {**USER.body, "Profile": "Other", "IsActive": False})
        after = Component("User", USER.full_name, {**USER.body, "IsActive": True})
        server, org = org_at(Rows({"User": [id_row("005000000000001AAA")]}))
        write_record(org, Change(USER.address, before, after))
        assert list_writes(server) == [
            ("PATCH User/005000000000001AAA", {"IsActive": True, "ProfileId": "00e000000000001AAA"})
        ]
        server.requests.clear()
        write_record(org, Change(USER.address, USER, Component("User", USER.full_name, {**USER.body, "LastName": "R"})))
        assert list_writes(server) == [("PATCH User/005000000000001AAA", {"LastName": "R"})]

    def test_without_its_profile_is_refused(self, org_at: ServeOrg, monkeypatch: pytest.MonkeyPatch) -> None:
        user = Component("User", "relay@example.com", {"LastName": "Relay", "Profile": "Minimum"})
        server, org = org_at(Rows())
        monkeypatch.setattr(org.metadata, "list_metadata", lambda *_: ())
        with pytest.raises(OrgError) as refused:
            write_record(org, Change(user.address, None, user))
        text = "User:relay@example.com: this org has no profile 'Minimum', or the signed-in user cannot see it"
        assert refused.value.message == text
        assert refused.value.hint == "Set integration_user.profile in config/sfcode.yaml to a profile of this org."
        assert list_writes(server) == []

    def test_that_does_not_exist_is_not_updated(self, org_at: ServeOrg) -> None:
        changed = Component("User", USER.full_name, {**USER.body, "LastName": "R"})
        _, org = org_at(Rows())
        with pytest.raises(OrgError, match=r"this org has no user 'relay@example.com', or the signed-in user cannot"):
            write_record(org, Change(USER.address, USER, changed))


class TestAssignment:
    ROWS: Mapping[str, Any] = {
        "User": [id_row("005000000000001AAA")],
        "PermissionSet": [id_row("0PS000000000001AAA")],
        "PermissionSetLicense": [id_row("0PL000000000001AAA")],
    }

    @staticmethod
    def change(address: Address) -> Change:
        return Change(address, None, Component(address.type, address.full_name, {}))

    def test_is_created_with_the_ids_of_user_and_set(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows(self.ROWS))
        for address in (PERMISSION_SET, LICENSE):
            write_record(org, self.change(address))
        user = {"AssigneeId": "005000000000001AAA"}
        assert list_writes(server) == [
            ("POST PermissionSetAssignment/", {**user, "PermissionSetId": "0PS000000000001AAA"}),
            ("POST PermissionSetLicenseAssign/", {**user, "PermissionSetLicenseId": "0PL000000000001AAA"}),
        ]

    @pytest.mark.parametrize(
        "answer",
        [
            refusal("DUPLICATE_VALUE"),
            refusal("DUPLICATE_USERNAME"),
            refusal(
                "FIELD_INTEGRITY_EXCEPTION", "Duplicate PermissionSetAssignment. Assignee: 005, Permission Set: 0PS"
            ),
        ],
    )
    def test_that_exists_is_not_an_error(self, org_at: ServeOrg, answer: Answer) -> None:
        server, org = org_at(Rows(self.ROWS, {"POST PermissionSetAssignment": [answer]}))
        write_record(org, self.change(PERMISSION_SET))
        assert len(list_writes(server)) == 1

    @pytest.mark.parametrize(
        ("address", "code", "hint"),
        [
            (PERMISSION_SET, "FIELD_INTEGRITY_EXCEPTION", ""),
            (
                LICENSE,
                "FIELD_INTEGRITY_EXCEPTION",
                "Check integration_user.permission_set_license in config/sfcode.yaml and the seats left in the org.",
            ),
            (
                LICENSE,
                "LICENSE_LIMIT_EXCEEDED",
                "All seats of this license are taken: free one in Setup, Company Information.",
            ),
        ],
    )
    def test_that_the_org_refuses_is_an_error(self, org_at: ServeOrg, address: Address, code: str, hint: str) -> None:
        _, org = org_at(Rows(self.ROWS, {f"POST {address.type}": [refusal(code, "no seat")]}))
        with pytest.raises(OrgError) as refused:
            write_record(org, self.change(address))
        assert (refused.value.message, refused.value.hint) == (f"{address}: {code}: no seat", hint)
        assert refused.value.code == code

    def test_of_a_missing_permission_set_names_it(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows({"User": self.ROWS["User"]}))
        with pytest.raises(
            OrgError, match=r": this org has no PermissionSetAssignment 'Appcues', or the signed-in user"
        ):
            write_record(org, self.change(PERMISSION_SET))
        assert list_writes(server) == []

    def test_is_deleted_for_each_row_that_exists(self, org_at: ServeOrg) -> None:
        row = Component(PERMISSION_SET.type, PERMISSION_SET.full_name, {})
        server, org = org_at(Rows({"PermissionSetAssignment": [id_row("0Pa1"), id_row("0Pa2")]}))
        write_record(org, Change(row.address, row, None))
        assert [line for line, _ in list_writes(server)] == [
            "DELETE PermissionSetAssignment/0Pa1",
            "DELETE PermissionSetAssignment/0Pa2",
        ]


class TestCampaign:
    def test_is_created_if_there_is_none(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows())
        write_record(org, Change(CAMPAIGN.address, None, CAMPAIGN))
        assert list_writes(server) == [("POST Campaign/", {"Name": "Webinar", "IsActive": True})]

    @pytest.mark.parametrize("record", [CAMPAIGN, STATUS])
    def test_that_exists_is_not_created_again(self, org_at: ServeOrg, record: Component) -> None:
        rows = {"Campaign": [id_row("7011")], "CampaignMemberStatus": [id_row("01Y1")]}
        server, org = org_at(Rows(rows))
        write_record(org, Change(record.address, None, record))
        assert list_writes(server) == []

    @pytest.mark.parametrize(("orders", "expected"), [([], 1), ([None], 1), ([4, None, 2], 5)])
    def test_has_a_new_status_last(self, org_at: ServeOrg, orders: list[int | None], expected: int) -> None:
        def answer(request: Request) -> Answer:
            if request.method == "GET" and "Label = 'Joined'" in request.query["q"]:
                return as_json({"done": True, "totalSize": 0, "records": []})
            return rows(request)

        statuses = [{"SortOrder": order} for order in orders]
        rows = Rows({"Campaign": [id_row("7011")], "CampaignMemberStatus": statuses})
        server, org = org_at(answer)
        write_record(org, Change(STATUS.address, None, STATUS))
        assert list_writes(server) == [
            (
                "POST CampaignMemberStatus/",
                {
                    "CampaignId": "7011",
                    "Label": "Joined",
                    "SortOrder": expected,
                    "HasResponded": True,
                    "IsDefault": False,
                },
            )
        ]

    @pytest.mark.parametrize("count", [0, 2])
    def test_must_be_unique_for_a_new_status(self, org_at: ServeOrg, count: int) -> None:
        server, org = org_at(Rows({"Campaign": [id_row(f"701{number}") for number in range(count)]}))
        with pytest.raises(OrgError) as refused:
            write_record(org, Change(STATUS.address, None, STATUS))
        assert refused.value.message == f"{STATUS.address}: {count} campaigns of this org have this name"
        assert refused.value.hint == "Set the ID of one in recipes.yaml."
        assert list_writes(server) == []


class TestErrors:
    def test_of_a_taken_username_explains_it(self, org_at: ServeOrg) -> None:
        _, org = org_at(Rows(faults={"POST User": [refusal("DUPLICATE_USERNAME", "taken")]}))
        with pytest.raises(OrgError) as refused:
            write_record(org, Change(USER.address, None, USER))
        assert refused.value.message == "User:relay@example.com: DUPLICATE_USERNAME: taken"
        assert refused.value.hint == (
            "Usernames are unique over all of Salesforce: choose another integration_user.username."
        )

    def test_of_a_connection_that_is_lost_twice_names_the_next_command(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows(faults={"POST User": [HangUp(), HangUp()]}))
        with pytest.raises(OrgError) as lost:
            write_record(org, Change(USER.address, None, USER))
        assert lost.value.message.startswith("User:relay@example.com: ")
        assert lost.value.hint.endswith("Then run `sfcode apply` again, which does the remaining steps.")
        assert lost.value.hint == lost.value.hint.strip()
        assert isinstance(lost.value.__cause__, OrgUnreachable)
        assert len(list_writes(server)) == 2


class TestState:
    def test_that_exists_is_updated_and_a_missing_one_created(self, org_at: ServeOrg) -> None:
        for rows, write in (([id_row("0811")], "PATCH StaticResource/0811"), ([], "POST StaticResource/")):
            server, org = org_at(Rows({"StaticResource": rows}))
            write_state(org, STATE, Applied(project="Appcues"))
            [(line, body)] = list_writes(server)
            assert line == write
            assert body.get("Name") == (None if rows else STATE.full_name)
            assert body["CacheControl"]

    def test_is_written_again_after_a_lost_response(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows({"StaticResource": [id_row("0811")]}, {"PATCH StaticResource": [HangUp()]}))
        write_state(org, STATE, Applied())
        assert [line for line, _ in list_writes(server)] == ["PATCH StaticResource/0811"] * 2

    def test_that_another_run_created_meanwhile_is_not_overwritten_silently(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows(faults={"POST StaticResource": [DUPLICATE]}))
        with pytest.raises(OrgError, match="in use"):
            write_state(org, STATE, Applied())
        assert len(list_writes(server)) == 1

    def test_is_deleted_and_again_after_a_lost_response(self, org_at: ServeOrg) -> None:
        server, org = org_at(Rows({"StaticResource": [id_row("0811")]}, {"DELETE StaticResource": [HangUp()]}))
        delete_state(org, STATE)
        assert [line for line, _ in list_writes(server)] == ["DELETE StaticResource/0811"] * 2
        server, org = org_at(Rows())
        delete_state(org, STATE)
        assert list_writes(server) == []
