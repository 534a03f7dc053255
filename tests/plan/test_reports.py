import pytest

from sfcode.metadata.component import Component
from sfcode.plan.reports import FORMATS, ReportOptions, render_plan
from sfcode.plan.reports.html import html
from sfcode.plan.reports.markdown import markdown
from sfcode.plan.reports.text import text
from tests.plan.samples import SECRETS, USER, build, desired, number, observed, permissions


@pytest.fixture
def plan(project):
    desired_state = desired(number("A__c", 4), permissions(A__c=True), records=(USER,))
    snapshot = observed(
        number("A__c"),
        number("B__c"),
        permissions(A__c=False),
        applied=(number("A__c"), number("B__c"), permissions(A__c=False)),
        warnings=("Mind <this>.",),
    )
    return build(project, desired_state, snapshot, secrets=SECRETS)


def test_text_has_the_signs_and_the_last_line_of_terraform(plan):
    assert text(plan) == (
        """\
sfcode will perform the following actions in Northwind Traders (00D000000000001EAA, http://127.0.0.1:1):

  + create
  ~ update in-place
  - destroy

  # User:appcues@example.com will be created
  + User "appcues@example.com" {
      + IsActive = true
      + Profile  = "P"
      + Username = "appcues@example.com"
    }

  # CustomField:Contact.A__c will be updated in-place
  ~ CustomField "Contact.A__c" {
      ~ precision = 3 -> 4
        # (3 unchanged attributes hidden)
    }

  # CustomField:Contact.B__c will be destroyed
  # (because it is no longer in the configuration)
  - CustomField "Contact.B__c" {
      - label     = "Score"
      - precision = 3
      - scale     = 0
      - type      = "Number"
    }

  # PermissionSet:Appcues_Integration will be updated in-place
  ~ PermissionSet "Appcues_Integration" {
      ~ fieldPermissions = {
          ~ "Contact.A__c" = {
              ~ editable = false -> true
                # (1 unchanged attribute hidden)
            }
        }
        # (1 unchanged attribute hidden)
    }

Warning: Mind <this>.

Plan: 1 to add, 2 to change, 1 to destroy."""
    )


def test_a_plan_without_changes_is_one_line(project):
    a = number("A__c")
    plan = build(project, desired(a), observed(a, applied=(a,)), secrets=SECRETS)
    assert text(plan) == (
        "No changes. Northwind Traders (00D000000000001EAA, http://127.0.0.1:1) matches the configuration."
    )


def test_an_element_of_a_list_is_shown_alone(project):
    before = Component("WorkflowOutboundMessage", "Contact.M", {"fields": ["Email", "Id", "Title"], "name": "M"})
    after = Component("WorkflowOutboundMessage", "Contact.M", {"fields": ["Department", "Email", "Id"], "name": "M"})
    plan = build(project, desired(after), observed(before, applied=(before,)), secrets=SECRETS)
    assert """\
      ~ fields = [
          - "Title",
          + "Department",
            # (2 unchanged elements hidden)
        ]
""" in text(plan)


def test_refusals_are_shown_in_every_format(project):
    plan = build(project, desired(number("A__c")), observed(number("A__c")), secrets=SECRETS)
    for report in (text, markdown, html):
        assert "sfcode did not create it" in report(plan).replace("\\", "")


def test_hostile_text_is_escaped(project):
    hostile = Component("CustomField", "Contact.X__c", {"label": "</pre><script>alert(1)</script>```<img src=x>|"})
    plan = build(project, desired(hostile), observed(warnings=("<b>|x`",)), secrets=SECRETS)
    assert "<script>" not in html(plan)
    lines = markdown(plan).splitlines()
    opening = next(line for line in lines if line.endswith("diff"))
    assert opening == "````diff", "a fence longer than any run of backticks inside"
    assert "> **Warning:** \\<b\\>\\|x\\`" in lines


def test_a_name_of_the_org_cannot_control_a_terminal_or_mention_a_team_in_any_format(project):
    label = Component("CustomField", "Contact.A__c", {**number("A__c").body, "label": "a\u009b31mb\x7f\u200bc"})
    warnings = ("\x1b[2J\nPlan: 0 to destroy. @team #1 http://evil.example",)
    plan = build(project, desired(label), observed(warnings=warnings), secrets=SECRETS)
    terminal, comment, page = text(plan), markdown(plan), html(plan)
    assert all(line.isprintable() for line in terminal.splitlines())
    assert 'label     = "a\\x9b31mb\\x7f\\u200bc"' in terminal
    assert not any(line.startswith("Plan: 0 to destroy") for line in terminal.splitlines())
    assert not any(piece in comment for piece in ("\x1b", "\u009b", "@team", " #1", "http://evil"))
    assert "Warning: \\x1b[2J\\nPlan: 0 to destroy." in page
    assert all(line.isprintable() for line in page.splitlines())


def test_characters_that_change_the_writing_direction_are_escaped(project):
    label = Component("CustomField", "Contact.A__c", {**number("A__c").body, "label": "a\u202eb"})
    report = text(build(project, desired(label), observed(), secrets=SECRETS))
    assert 'label     = "a\\u202eb"' in report
    assert "\u202e" not in report


def test_html_loads_nothing(plan):
    page = html(plan)
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in page
    for word in ("<script", "src=", "<link", "@import", "url("):
        assert word not in page


def test_of_two_long_texts_only_the_place_where_they_differ_is_shown(project):
    def flow(middle):
        return Component("Flow", "F", {"start": {"filterFormula": f"{'A' * 80}, {middle}{'B' * 80}"}})

    plan = build(project, desired(flow("NEW, ")), observed(flow(""), applied=(flow(""),)), secrets=SECRETS)
    a, b = "A" * 30, "B" * 32
    assert f"""\
          ~ filterFormula =
              - "…{a}, {b}…"
              + "…{a}, NEW, {b}…"
""" in text(plan)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_what_the_plan_changes(plan, name):
    report = "".join(render_plan(plan, name, ReportOptions()))
    assert all(change.address.full_name in report for change in plan.effective)
    assert not report.endswith("\n\n")
