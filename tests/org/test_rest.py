"""Records over REST: quoting, paging, and errors with the org's message."""

from __future__ import annotations

import pytest

from sfcode.errors import OrgError, SignInError
from sfcode.org.rest import convert_row, parse_error, quote_values
from tests.org.servers import Answer, Request, as_json, script


def test_values_are_quoted_into_a_query() -> None:
    soql = "SELECT Id FROM User WHERE Username = {} AND IsActive = {active} AND Name IN {names}"
    assert quote_values(soql, ("o'neil\\@x.y",), {"active": True, "names": ["a", "b"]}) == (
        "SELECT Id FROM User WHERE Username = 'o\\'neil\\\\@x.y' AND IsActive = true AND Name IN ('a','b')"
    )


def test_a_query_without_values_is_left_as_it_is() -> None:
    assert quote_values("SELECT Id FROM X WHERE A = '{}'", (), {}) == "SELECT Id FROM X WHERE A = '{}'"


def test_rows_come_without_attributes_at_any_depth() -> None:
    inner = {"attributes": {"type": "Profile"}, "Name": "P"}
    sub = {"totalSize": 1, "done": True, "records": [{"attributes": {}, "Id": "2"}]}
    assert convert_row({"attributes": {}, "Id": "1", "Profile": inner, "Owner": None, "Children": sub}) == {
        "Id": "1",
        "Profile": {"Name": "P"},
        "Owner": None,
        "Children": [{"Id": "2"}],
    }


@pytest.mark.parametrize("tooling", [False, True])
def test_a_query_is_read_to_its_last_page(org_at, tooling: bool) -> None:
    base = "/services/data/v63.0/tooling/query" if tooling else "/services/data/v63.0/query"

    def pages(request: Request) -> Answer:
        if request.path == f"{base}/next":
            return as_json({"totalSize": 2, "done": True, "records": [{"attributes": {}, "Id": "2"}]})
        first = {
            "totalSize": 2,
            "done": False,
            "nextRecordsUrl": f"{base}/next",
            "records": [{"attributes": {}, "Id": "1"}],
        }
        return as_json(first)

    server, org = org_at(pages)
    ask = org.tooling_query if tooling else org.query
    assert ask("SELECT Id FROM Flow WHERE DeveloperName = {}", "x") == [{"Id": "1"}, {"Id": "2"}]
    assert server.requests[0].path == f"{base}/"
    assert server.requests[0].query["q"] == "SELECT Id FROM Flow WHERE DeveloperName = 'x'"


def test_count_gives_the_number(org_at) -> None:
    _, org = org_at(script(as_json({"totalSize": 7, "done": True, "records": []})))
    assert org.count("SELECT COUNT() FROM Contact") == 7


def test_records_are_created_changed_and_deleted(org_at) -> None:
    server, org = org_at(lambda request: as_json({"id": "003"}, 201) if request.method == "POST" else Answer(204))
    assert org.create("Contact", {"LastName": "L"}) == "003"
    org.update("Contact", "003", {"Title": None})
    org.delete("Contact", "003")
    org.tooling_update("FlowDefinition", "300", {"Metadata": {"activeVersionNumber": 0}})
    org.tooling_delete("Flow", "301")
    base = "/services/data/v63.0"
    assert [(request.method, request.path, request.body) for request in server.requests] == [
        ("POST", f"{base}/sobjects/Contact/", b'{"LastName": "L"}'),
        ("PATCH", f"{base}/sobjects/Contact/003", b'{"Title": null}'),
        ("DELETE", f"{base}/sobjects/Contact/003", b""),
        ("PATCH", f"{base}/tooling/sobjects/FlowDefinition/300", b'{"Metadata": {"activeVersionNumber": 0}}'),
        ("DELETE", f"{base}/tooling/sobjects/Flow/301", b""),
    ]


def test_a_refusal_has_the_code_and_message_of_the_org(org_at) -> None:
    answer = as_json(
        [{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": ["Username"]}], 400
    )
    server, org = org_at(script(answer))
    with pytest.raises(OrgError) as caught:
        org.create("User", {"Username": "x"})
    assert caught.value.code == "DUPLICATE_VALUE"
    assert caught.value.message == "DUPLICATE_VALUE: duplicate value found (Username)"
    assert len(server.requests) == 1


def test_a_locked_row_is_tried_again_even_for_a_write(org_at) -> None:
    locked = as_json([{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}], 400)
    server, org = org_at(script(locked, Answer(204)))
    org.update("Contact", "003", {})
    assert len(server.requests) == 2


def test_an_ended_session_is_a_sign_in_error_with_the_hint(org_at) -> None:
    _, org = org_at(script(as_json([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], 401)))
    with pytest.raises(SignInError, match="Session expired") as caught:
        org.query("SELECT Id FROM User")
    assert "SF_ACCESS_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"errorCode": "A", "message": "m"}], ("A", "m")),
        ({"error": "invalid_grant", "error_description": "d"}, ("invalid_grant", "d")),
        ("Bad_OAuth_Token", ("", "")),
        ([], ("", "")),
        (None, ("", "")),
    ],
)
def test_error_bodies_are_read_in_each_format(content, expected) -> None:
    assert parse_error(content) == expected


def test_the_library_is_accessible_and_signed_in(org_at) -> None:
    server, org = org_at(script(as_json({"totalSize": 0, "done": True, "records": []})))
    org.rest.query("SELECT Id FROM Account")
    assert server.requests[0].path.startswith("/services/data/v63.0/")
