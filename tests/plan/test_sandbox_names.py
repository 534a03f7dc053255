"""Usernames and addresses that a sandbox refresh changed."""

from __future__ import annotations

import pytest

from sfcode.errors import Refused
from sfcode.metadata.component import Component
from sfcode.plan.sandbox_names import choose_username, is_copy, rename_user_in_state, restore_email
from sfcode.plan.state import Applied, Past
from tests.plan.samples import addresses

USER = "user@example.com"
PLAIN = "https://example.my.salesforce.com"
UAT = "https://example--uat.sandbox.my.salesforce.com"


@pytest.mark.parametrize(
    ("username", "copy"),
    [
        ("user@example.com.uat", True),
        ("USER@example.com.UAT2", True),
        ("user@example.com", False),
        ("user@example.com.", False),
        ("user@example.com.local.uat", False),
        ("user@example.comuat", False),
        ("user@exampleXcom.uat", False),
    ],
)
def test_a_username_in_a_sandbox_has_one_suffix(username, copy):
    assert is_copy(username, USER) is copy


@pytest.mark.parametrize(
    ("usernames", "url", "expected"),
    [
        ([], PLAIN, USER),
        ([f"{USER}.uat"], PLAIN, f"{USER}.uat"),
        ([f"{USER}.uat", "User@Example.com"], PLAIN, USER),
        ([f"{USER}.dev", f"{USER}.uat"], UAT, f"{USER}.uat"),
        ([f"{USER}.dev"], UAT, f"{USER}.dev"),
        ([f"{USER}.au.uat"], UAT, USER),
    ],
)
def test_the_user_with_the_configured_or_else_the_suffixed_name_is_chosen(usernames, url, expected):
    assert choose_username(USER, usernames, url) == expected


def test_several_possible_users_are_refused():
    with pytest.raises(Refused, match=r"may be any of user@example.com.dev, user@example.com.uat"):
        choose_username(USER, [f"{USER}.uat", f"{USER}.dev"], PLAIN)


@pytest.mark.parametrize(
    ("expected", "result"),
    [
        ("a@b.com.invalid", "a@b.com"),
        ("A@B.com.INVALID", "a@b.com"),
        ("a=b.com@example.com", "a@b.com"),
        ("other@b.com.invalid", "other@b.com.invalid"),
        ("a@b.com", "a@b.com"),
    ],
)
def test_an_email_address_invalidated_by_a_refresh_is_no_change(expected, result):
    user = Component("User", USER, {"Email": expected})
    assert restore_email(user, {"Email": "a@b.com"}).body["Email"] == result


def test_the_copied_state_names_the_user_with_the_suffix_of_the_sandbox():
    (message, flow) = addresses("WorkflowOutboundMessage:Contact.A", "Flow:B")
    bodies = {message: {"integrationUser": USER}, flow: {"label": USER}}
    past = Past("1", "t", "me", None, {message: bodies[message], flow: None}, frozenset())
    records = addresses(f"User:{USER}", f"PermissionSetAssignment:A/{USER}", "User:other@example.com")
    copied = Applied(components=bodies, history=(past,), records={address: {} for address in records})
    sandbox_state = rename_user_in_state(copied, f"{USER}.uat")
    assert sandbox_state.components == {message: {"integrationUser": f"{USER}.uat"}, flow: {"label": USER}}
    assert sandbox_state.history[0].before == {message: {"integrationUser": f"{USER}.uat"}, flow: None}
    assert {*sandbox_state.records} == {
        *addresses(f"User:{USER}.uat", f"PermissionSetAssignment:A/{USER}.uat", "User:other@example.com")
    }
    assert rename_user_in_state(copied, "somebody@example.com") == copied
