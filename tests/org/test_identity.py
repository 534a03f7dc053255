from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.errors import OrgError, SignInError
from sfcode.org.identity import to_long_id
from tests.org.servers import Answer, Request, as_json

USERINFO = {"user_id": "005xx000001X8UzAAK", "organization_id": "00Dxx0000001gPFEAY", "preferred_username": "a@b.c"}
ORGANIZATION = {
    "attributes": {}, "Id": "00Dxx0000001gPF", "Name": "Acme", "IsSandbox": True, "OrganizationType": "Enterprise Edition",
    "InstanceName": "CS42",
}  # fmt: skip


@pytest.mark.parametrize(
    ("short", "long"), [("00Dxx0000001gPF", "00Dxx0000001gPFEAY"), ("003xx000004TmiQ", "003xx000004TmiQAAS")]
)
def test_an_id_gets_its_three_last_characters(short: str, long: str) -> None:
    assert to_long_id(short) == long
    assert to_long_id(long) == long


@given(st.text(alphabet="abcXYZ0129", min_size=15, max_size=15))
def test_ids_that_differ_in_case_only_differ_in_their_ending(short: str) -> None:
    swapped = short.swapcase()
    assert (to_long_id(short)[15:] == to_long_id(swapped)[15:]) == (
        short == swapped or not any(map(str.isalpha, short))
    )


@pytest.mark.parametrize("text", ["", "00D", "00Dxx0000001gP!", "00Dxx0000001gPFEAY1"])
def test_an_invalid_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Salesforce ID"):
        to_long_id(text)


def answers(userinfo: Answer):
    def answer(request: Request) -> Answer:
        if request.path == "/services/oauth2/userinfo":
            return userinfo
        if request.path == "/services/data/v63.0":
            return as_json({"identity": "https://x/id/00Dxx0000001gPFEAY/005xx000001X8UzAAK"})
        soql = request.query["q"]
        row = ORGANIZATION if "FROM Organization" in soql else {"attributes": {}, "Username": "a@b.c"}
        return as_json({"totalSize": 1, "done": True, "records": [row]})

    return answer


@pytest.mark.parametrize(
    ("userinfo", "requests"),
    [(as_json(USERINFO), 2), (Answer(403, b"Bad_OAuth_Token"), 4)],
    ids=["userinfo", "without the scope"],
)
def test_the_identity_of_the_org_is_requested_once(org_at, userinfo: Answer, requests: int) -> None:
    server, org = org_at(answers(userinfo))
    assert server.requests == []
    identity = org.identity
    assert identity.org_id == "00Dxx0000001gPFEAY"
    assert (identity.username, identity.user_id) == ("a@b.c", "005xx000001X8UzAAK")
    assert (identity.name, identity.sandbox, identity.organization_type) == ("Acme", True, "Enterprise Edition")
    assert (identity.instance_name, identity.instance_url, identity.api_version) == ("CS42", server.url, "63.0")
    assert org.identity is identity
    assert len(server.requests) == requests


def test_an_ended_session_is_not_reported_as_a_missing_scope(org_at) -> None:
    expired = as_json([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], 401)
    server, org = org_at(answers(expired))
    with pytest.raises(SignInError):
        _ = org.identity
    assert len(server.requests) == 1


def test_an_org_without_an_identity_is_an_error(org_at) -> None:
    def answer(request: Request) -> Answer:
        return as_json(USERINFO if "userinfo" in request.path else {"totalSize": 0, "done": True, "records": []})

    _, org = org_at(answer)
    with pytest.raises(OrgError, match="returned no organization"):
        _ = org.identity
