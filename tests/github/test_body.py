"""The text of the comment: within the length limit, most important parts first, without secrets and mentions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sfcode.github.body import COMMENT_LIMIT, CommentParts, comment_body, issue_body
from sfcode.github.comment_marker import Marker, comment_marker, read_marker
from sfcode.github.redact import defuse_mentions, redact
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.digest import changes_digest
from sfcode.plan.plan import Plan
from sfcode.plan.reports.markdown import markdown
from sfcode.plan.snapshot import Target

MARKER = comment_marker(Path("config"), "production", head="abc", plan="1f" * 32)
SECRET = "s3cr3t-value-0123456789"


def field(name: str, label: str) -> Component:
    return Component("CustomField", name, {"label": label, "type": "Text", "length": 80})


def changed(number: int, kind: str = "update", size: int = 40) -> Change:
    name = f"Contact.Field_{number:04}__c"
    before, after = field(name, "a" * size), field(name, "b" * size)
    sides = {"create": (None, after), "update": (before, after), "delete": (before, None)}[kind]
    return Change(Address("CustomField", name), *sides)


def plan(*changes: Change, **more) -> Plan:
    target = Target("00D000000000001AAA", "Northwind", "https://x.my.salesforce.com", "admin@x.example")
    new_plan = Plan(target, "production", "c0", "63.0", Address("StaticResource", "S"), changes, {})
    return replace(new_plan, **more)


def write(review: str = "### Low risk", the_plan: Plan | None = None, **more) -> str:
    return comment_body(CommentParts(MARKER, lambda room: review[:room], the_plan, **more))


def test_the_marker_is_its_first_line():
    assert read_marker(write()) == MARKER


def test_a_comment_has_the_review_then_the_plan_then_the_commit():
    text = write("### Medium risk", plan(changed(1)), note="A note.", head="abcdef0123456789")
    order = ["### Medium risk", "After the merge", "### Plan: 0 to add, 1 to change", "> A note.", "commit abcdef0123,"]
    assert sorted(order, key=text.index) == order


def test_a_plan_that_does_nothing_is_one_line():
    text = write(the_plan=plan())
    assert "### No changes." in text
    assert "After the merge" not in text


@pytest.mark.parametrize(("count", "review"), [(3, 200_000), (900, 500), (900, 200_000), (5000, 90_000)])
def test_a_comment_is_never_longer_than_githubs_limit(count, review):
    text = write("r" * review, plan(*(changed(number) for number in range(count))))
    assert len(text) <= COMMENT_LIMIT
    assert text.startswith(MARKER.line())
    assert "### Plan:" in text
    assert "<sub>" in text


def test_details_of_deletions_are_cut_last():
    creates = [changed(number, "create", 300) for number in range(400)]
    new_plan = plan(*creates, changed(990, "update", 300), changed(991, "delete", 300))
    text = markdown(new_plan, limit=30_000)
    assert len(text) <= 30_000
    assert "<code>- CustomField:Contact.Field_0991__c</code>" in text
    assert "<code>~ CustomField:Contact.Field_0990__c</code>" in text
    assert "<code>+ CustomField:Contact.Field_0399__c</code>" not in text
    assert "more details: omitted because of the length limit" in text
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("limit", [0, 50, 500, 2_000])
def test_a_plan_is_cut_to_any_limit(limit):
    assert len(markdown(plan(*(changed(number) for number in range(50))), limit=limit)) <= limit


def test_a_limit_above_the_length_of_a_comment_changes_nothing():
    new_plan = plan(*(changed(number) for number in range(5)))
    assert markdown(new_plan, limit=100_000) == markdown(new_plan)


def test_secrets_are_masked_even_where_that_makes_the_text_longer():
    environ = {"APP_SECRET": "abcdefgh", "PROD_SF_JWT_KEY": SECRET}
    long = "abcdefgh " * 20_000
    text = comment_body(
        CommentParts(MARKER, lambda room: long[:room]), hide=lambda text_part: redact(text_part, environ)
    )
    assert "abcdefgh" not in text
    assert len(text) <= COMMENT_LIMIT


@pytest.mark.parametrize("name", ["SFCODE_RELAY_OUTBOUND_SECRET", "PROD_SF_JWT_KEY", "GITHUB_TOKEN", "SFDX_AUTH_URL"])
def test_a_variable_with_the_name_of_a_secret_is_masked(name):
    assert redact(f"see {SECRET}!", {name: SECRET}) == "see ******!"


def test_a_secret_that_begins_like_another_is_masked_as_a_whole():
    for names in (("A_TOKEN", "B_TOKEN"), ("B_TOKEN", "A_TOKEN")):
        environ = dict(zip(names, (SECRET, f"{SECRET}-and-more"), strict=True))
        assert redact(f"{SECRET}-and-more, {SECRET}", environ) == "******, ******"


def test_the_marker_by_which_later_versions_find_a_comment():
    marker = comment_marker(Path("config"), "production", head="abc", plan="1f" * 32)
    assert marker.line() == (
        '<!-- sfcode {"config": "config", "environment": "production", "head": "abc", "kind": "comment", "plan": "'
        + "1f" * 32
        + '"} -->'
    )


def test_other_variables_and_short_values_are_not_masked():
    environ = {"FOLDER": "somewhere-long", "KEYBOARD": "keyboard", "A_TOKEN": "test"}
    assert redact("a test in somewhere-long, keyboard", environ) == "a test in somewhere-long, keyboard"


def test_mentions_are_escaped_and_addresses_stay_readable():
    assert defuse_mentions("ask @acme/crm or @boss, write to a@example.com") == (
        "ask @\u200bacme/crm or @\u200bboss, write to a@example.com"
    )


def test_the_text_of_an_issue_keeps_to_the_limit_too():
    marker = Marker("drift", "config", "production")
    text = issue_body(marker, plan(*(changed(number) for number in range(3000))), "Somebody was here.")
    assert len(text) <= COMMENT_LIMIT
    assert read_marker(text) == marker


def test_the_digest_covers_only_what_an_apply_of_the_plan_does():
    new_plan = plan(changed(1), changed(2))
    digest = changes_digest(new_plan)
    assert changes_digest(replace(new_plan, warnings=("x",), config_digest="other", fingerprints={"a": "b"})) == digest
    different = [
        plan(changed(1)),
        plan(changed(1), changed(2, "create")),
        plan(changed(1), changed(2, size=41)),
        replace(new_plan, environment="sandbox"),
        replace(new_plan, target=replace(new_plan.target, org_id="00D000000000002AAA")),
        replace(new_plan, records_state=True),
        replace(new_plan, secrets={"A": "1"}),
    ]
    assert len({digest, *map(changes_digest, different)}) == 1 + len(different)


def test_invisible_characters_are_escaped_in_comments_and_issues():
    marker = Marker("drift", "config", "production")
    foreign_text = "Some\u202ebody"
    comment = comment_body(CommentParts(MARKER, lambda room: foreign_text[:room]))
    for text in (comment, issue_body(marker, plan(changed(1)), foreign_text)):
        assert "\u202e" not in text
        assert "Some\\u202ebody" in text
