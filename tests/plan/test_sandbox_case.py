"""Usernames and addresses of a sandbox are compared without case."""

from __future__ import annotations

import pytest

from sfcode.metadata.component import Body, Component
from sfcode.plan.sandbox_names import choose_username, is_copy, rename_user, restore_email

USER = "User@Example.com"
PLAIN = "https://example.my.salesforce.com"


def test_a_sandbox_username_is_recognized_in_any_case() -> None:
    assert is_copy("user@example.com.UAT", USER)
    assert is_copy("USER@EXAMPLE.COM.uat", USER.lower())


def test_the_user_with_the_exact_name_is_chosen_in_every_case() -> None:
    assert choose_username(USER, ["user@example.com", "user@example.com.uat"], PLAIN) == USER
    url = "https://example--UAT.sandbox.my.salesforce.com"
    assert choose_username(USER, ["user@example.com.dev", "user@example.com.uat"], url) == "user@example.com.uat"
    assert (
        choose_username(USER, ["user@example.com.DEV", "user@example.com.UAT"], url.lower()) == "user@example.com.UAT"
    )


@pytest.mark.parametrize(
    "observed", ["a@b.com.invalid", "A@B.COM.INVALID", "a=b.com@example.com", "A=B.com@Example.com"]
)
def test_an_address_with_capitals_is_restored_and_the_rest_of_the_user_kept(observed: str) -> None:
    user = Component("User", USER, {"Email": observed, "IsActive": True})
    assert restore_email(user, {"Email": "A@B.com"}).body == {"Email": "A@B.com", "IsActive": True}


@pytest.mark.parametrize(
    ("username_in_org", "sandbox", "observed"),
    [
        ("user@example.com", False, USER),
        ("USER@EXAMPLE.COM", True, USER),
        ("USER@EXAMPLE.COM", False, USER),
        ("other@example.com", True, "other@example.com"),
    ],
)
def test_the_user_in_a_message_is_named_as_the_config_names_it(
    username_in_org: str, sandbox: bool, observed: str
) -> None:
    body: Body = {"integrationUser": username_in_org, "name": "M"}
    assert rename_user(body, USER, sandbox=sandbox) == {"integrationUser": observed, "name": "M"}


def test_a_message_that_names_the_original_is_renamed_in_a_sandbox_alone() -> None:
    body: Body = {"integrationUser": "user@example.com"}
    assert rename_user(body, f"{USER}.uat") == {"integrationUser": f"{USER}.uat"}
    assert rename_user(body, f"{USER}.uat", sandbox=False) == body


def test_a_message_without_a_user_stays_without_one() -> None:
    assert rename_user({"name": "M"}, USER) == {"name": "M"}
    assert rename_user({"integrationUser": ""}, USER) == {"integrationUser": ""}
