"""Details of reports: signs, colors, risks, escapes, limits, and truncated values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan, Refusal
from sfcode.plan.reports.html import LONGEST_LIST, html
from sfcode.plan.reports.markdown import markdown
from sfcode.plan.reports.text import text
from sfcode.plan.risk import Judgment, Risk
from tests.plan.samples import TARGET, number

A, B, C = number("A__c"), number("B__c"), number("C__c")
CREATED, DELETED = Change(A.address, None, A), Change(B.address, B, None)
UPDATED = Change(C.address, C, number("C__c", 4))


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(TARGET, "production", "1", "63.0", Address("StaticResource", "S"), changes, {}, **more)


def thing(**body: Any) -> Component:
    return Component("Thing", "F", body)


def render(before: Component | None, after: Component | None) -> list[str]:
    """Return the lines of a change in the text report, without lines about hidden attributes and the whole change."""
    lines = text(plan(Change(Address("Thing", "F"), before, after))).splitlines()
    first = next(index for index, line in enumerate(lines) if line.endswith('Thing "F" {'))
    return [line.strip() for line in lines[first + 1 : lines.index("    }")]]


def test_drift_of_a_refresh() -> None:
    drifted = Change(A.address, A, A, number("A__c", 5))
    deletion = Change(B.address, None, None, B)
    report = text(plan(drifted, deletion, mode=Mode.REFRESH))
    assert report == (
        """\
Note: objects have changed outside of sfcode, in Northwind Traders (00D000000000001EAA, http://127.0.0.1:1):

  # CustomField:Contact.A__c has changed
  ~ CustomField "Contact.A__c" {
      ~ precision = 5 -> 3
        # (3 unchanged attributes hidden)
    }

  # CustomField:Contact.B__c has been deleted
  - CustomField "Contact.B__c" {
      - label     = "Score"
      - precision = 3
      - scale     = 0
      - type      = "Number"
    }

Drift: 1 changed, 1 deleted."""
    )


def test_a_renamed_user_is_the_reason_for_its_deleted_assignments() -> None:
    name = "old@example.com"
    user = Component("User", name, {"IsActive": True})
    deactivation = Change(user.address, user, Component("User", name, {"IsActive": False}))
    assignment = Component("PermissionSetAssignment", f"Set/{name}", {})
    report = text(plan(deactivation, Change(assignment.address, assignment, None)))
    assert report.count("# (because the config has another integration user)") == 2
    report = text(plan(deactivation, Change(assignment.address, assignment, None), mode=Mode.ROLLBACK))
    assert report.count("# (because it was created by the apply that is rolled back)") == 2
    namesake = Component("Flow", name, {"IsActive": True})
    report = text(plan(Change(namesake.address, namesake, Component("Flow", name, {"IsActive": False})), DELETED))
    assert "has another integration user" not in report


def test_colors_follow_the_signs_and_warnings_and_refusals_have_their_own() -> None:
    painted = text(
        plan(CREATED, warnings=("w",), refusals=(Refusal(None, "r", "h"),)), lambda text, sign: f"<{sign}{text}>"
    )
    for part in ("<++> create", "<++> CustomField", "<~Warning: w>", "<!Refused: r; h>"):
        assert part in painted


class TestMarkdown:
    def test_characters_that_end_a_cell_or_code_are_replaced_and_tags_escaped(self) -> None:
        odd = Component("Layout", "A|B`C<D>&E", {"label": "x"})
        report = markdown(plan(Change(odd.address, None, odd)))
        assert "| `+` | `Layout:A\\|B'C<D>&E` | will be created |" in report
        assert "\n<code>+ Layout:A|B`C&lt;D&gt;&amp;E</code>\n" in report

    @pytest.mark.parametrize(("label", "fence"), [("a", "```"), ("a ``` b", "````"), ("` ````` ``", "``````")])
    def test_the_fence_is_longer_than_every_run_of_backticks(self, label: str, fence: str) -> None:
        report = markdown(plan(Change(Address("Thing", "F"), None, thing(label=label, other="`"))))
        assert [line for line in report.splitlines() if line.startswith("```")] == [f"{fence}diff", fence]

    @pytest.mark.parametrize("limit", [0, 5, 300, 450, 600, 10_000])
    def test_no_limit_is_exceeded(self, limit: int) -> None:
        assert len(markdown(plan(CREATED, UPDATED, DELETED), limit=limit)) <= limit
        assert len(markdown(plan(), limit=limit)) <= limit

    def test_the_highest_risk_comes_first_and_all_details_are_in_one_fold(self) -> None:
        judged = {A.address: Judgment(Risk.LOW), B.address: Judgment(Risk.HIGH, "data goes")}
        report = markdown(plan(CREATED, DELETED), judged)
        rows = [line for line in report.splitlines() if line.startswith("| ")]
        assert rows == [
            "| risk | | address | |",
            "| --- | --- | --- | --- |",
            (
                "| **high** | `-` | `CustomField:Contact.B__c` | will be destroyed; because it is no longer in the "
                "configuration; data goes |"
            ),
            "| low | `+` | `CustomField:Contact.A__c` | will be created |",
        ]
        assert report.count("<details>") == report.count("</details>") == 1
        assert "| risk |" not in markdown(plan(CREATED, DELETED)), "nobody asked for the risk"

    def test_with_room_enough_a_limit_changes_nothing(self) -> None:
        new_plan = plan(CREATED, UPDATED, DELETED)
        assert markdown(new_plan, limit=100_000) == markdown(new_plan)


class TestHtml:
    def test_each_sign_has_its_class(self) -> None:
        page = html(plan(CREATED, UPDATED, DELETED))
        assert re.findall(r'<summary><code class="(\w+)">', page) == ["create", "update", "delete"]
        assert '<span class="same">  # (3 unchanged attributes hidden)</span>' in page

    def test_the_worst_risk_is_in_the_heading_and_each_at_its_change(self) -> None:
        judged = {A.address: Judgment(Risk.LOW), B.address: Judgment(Risk.HIGH, "data goes")}
        page = html(plan(CREATED, DELETED), judged)
        assert '<span class="risk high">high risk</span></h1>' in page
        assert page.count('<span class="risk low">low risk</span>') == 2, "in the summary and at the change"
        assert '<span class="why">data goes</span>' in page
        assert '<span class="risk' not in html(plan(CREATED))

    @pytest.mark.parametrize(("number_of_changes", "is_folded"), [(LONGEST_LIST, False), (LONGEST_LIST + 1, True)])
    def test_the_summary_folds_a_long_list(self, number_of_changes: int, is_folded: bool) -> None:
        created = [Change(c.address, None, c) for c in (number(f"F{index}__c") for index in range(number_of_changes))]
        page = html(plan(*created), {change.address: Judgment(Risk.HIGH, "data goes") for change in created})
        assert ('<details><summary><span class="risk high">' in page) is is_folded


class TestValues:
    def test_a_small_mapping_is_on_one_line_in_the_order_of_its_names(self) -> None:
        assert render(None, thing(start={"b": 1, "a": [True, "x"]})) == ['+ start = { a = [true, "x"], b = 1 }']

    def test_an_empty_mapping_has_no_space_between_its_braces(self) -> None:
        assert render(None, thing(start={}, value=[{}])) == ["+ start = {}", "+ value = [{}]"]

    def test_a_wide_mapping_is_unfolded_at_more_than_sixty_characters(self) -> None:
        at_most = {"a": "x" * 50}  # { a = "xx...x" } has exactly the maximum width
        assert len(render(None, thing(start=at_most))) == 1
        wide = {"a": "x" * 51}
        assert render(None, thing(start=wide)) == ["+ start = {", f'+ a = "{"x" * 51}"', "}"]
        assert render(thing(start=wide), None) == ["- start = {", f'- a = "{"x" * 51}"', "}"]
        assert len(render(None, thing(start="x" * 90))) == 1

    def test_names_that_are_no_words_or_hold_two_underscores_are_quoted(self) -> None:
        lines = render(None, thing(start={"Plan__c": 1, "a b": 2, "plain_name": 3, "größe x": 4}))
        assert lines == ['+ start = { "Plan__c" = 1, "a b" = 2, "größe x" = 4, plain_name = 3 }']

    def test_two_texts_are_cut_only_when_they_are_longer_than_two_lines_together(self) -> None:
        assert render(thing(label="a" * 60), thing(label="b" * 60)) == [f'~ label = "{"a" * 60}" -> "{"b" * 60}"']
        cut = render(thing(label="a" * 61), thing(label="b" * 60))
        assert cut == ["~ label =", f'- "{"a" * 61}"', f'+ "{"b" * 60}"']

    def test_texts_that_differ_at_an_end_are_cut_at_the_other(self) -> None:
        same = "s" * 100
        assert render(thing(label=f"x{same}"), thing(label=f"y{same}"))[1:] == [
            f'- "x{"s" * 32}…"',
            f'+ "y{"s" * 32}…"',
        ]
        assert render(thing(label=f"{same}x"), thing(label=f"{same}y"))[1:] == [
            f'- "…{"s" * 32}x"',
            f'+ "…{"s" * 32}y"',
        ]
        assert render(thing(label=same), thing(label=f"{same}{same}"))[1:] == [
            f'- "…{"s" * 32}"',
            f'+ "…{"s" * 32}{same}"',
        ]

    def test_a_value_that_changes_its_kind_is_shown_as_both(self) -> None:
        assert render(thing(value={"a": 1}), thing(value="x")) == ['~ value = { a = 1 } -> "x"']
        assert render(thing(value="x"), thing(value=["y"])) == ['~ value = "x" -> ["y"]']
        long = "x" * 130
        assert render(thing(value=long), thing(value=True)) == [f'~ value = "{long}" -> true']
        assert render(thing(value=7), thing(value=long)) == [f'~ value = 7 -> "{long}"']

    def test_an_added_or_a_removed_long_text_is_shown_whole(self) -> None:
        long = "x" * 200
        assert render(None, thing(label=long)) == [f'+ label = "{long}"']
        assert render(thing(label=long), None) == [f'- label = "{long}"']
