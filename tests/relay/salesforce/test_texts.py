"""Texts of activities: rendered with any values, without gaps for missing ones, and at limited cost."""

from __future__ import annotations

import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfcode.config.event_models import EventText
from sfcode.config.events_file import default_events
from sfcode.config.template import FILTERS, TESTS, find_template_problem
from sfcode.mapping.limits import ACTIVITY_COMMENT_LENGTH, TEXT_LENGTH
from sfcode.relay.salesforce.texts import TemplateFailedError, compile_texts

SHIPPED = compile_texts(default_events().activities)


def rendered(template: str, **values: object) -> str:
    return compile_texts({"x": EventText(subject="x", comment=template)})["x"].render(values.get)[1]


ITEM = {"itemLabel": "Invite", "checklistName": "Start"}


@pytest.mark.parametrize(
    ("values", "subject"),
    [
        ({"itemIndex": 0}, "Appcues Checklist Item #1 Completed - Start"),
        ({"itemIndex": 2.0}, "Appcues Checklist Item #3 Completed - Start"),
        ({"itemIndex": "4"}, "Appcues Checklist Item #5 Completed - Start"),
        ({}, "Appcues Checklist Item Completed - Start"),
        ({"itemIndex": None}, "Appcues Checklist Item Completed - Start"),
        ({"itemIndex": "first"}, "Appcues Checklist Item Completed - Start"),
        ({"itemIndex": True}, "Appcues Checklist Item Completed - Start"),
        ({"itemIndex": [1]}, "Appcues Checklist Item Completed - Start"),
    ],
)
def test_indexes_count_from_one_and_other_values_are_omitted(values: dict[str, object], subject: str) -> None:
    assert SHIPPED["checklist_item_completed"].render({**ITEM, **values}.get)[0] == subject


MISSING = {
    "nps_score": ("Appcues NPS Score Submitted", "NPS score. Submission location:"),
    "nps_feedback": ("Appcues NPS Feedback Submitted", "Submission location:"),
    "flow_completed": ("Appcues Flow Completed", "User completed your Appcues flow titled “”."),
    "goal_reached": ("Appcues Goal Reached", "User has completed the goal titled, “”"),
    "click_to_track": ("Appcues Click-to-track", "User triggered the event “”. Location:"),
}


@pytest.mark.parametrize("event", MISSING)
def test_what_is_missing_leaves_no_empty_brackets_and_no_sign_at_the_end(event: str) -> None:
    assert SHIPPED[event].render({}.get) == MISSING[event]


def test_feedback_is_not_tidied() -> None:
    words = "() []  - # “” ( ) -"
    assert rendered("{{ a }} ({{ b }}) end", a=words) == f"{words} end"
    assert rendered("{{ a }} end", a="(\ue000) -") == "() - end", "nor where it holds the mark of a missing value"


def test_unsupported_characters_are_removed_and_a_subject_is_one_line() -> None:
    text = EventText(subject="{{ a }}", comment="{{ a }}")
    assert compile_texts({"x": text})["x"].render({"a": "one\x00\r\n \ttwo\ud800"}.get) == (
        "one two\ufffd",
        "one\n \ttwo\ufffd",
    )


def test_blanks_around_a_text_are_left_out() -> None:
    text = EventText(subject=" {{ a }} ", comment="\n {{ a }}\n")
    assert compile_texts({"x": text})["x"].render({"a": " word "}.get) == ("word", "word")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ a }}", "7"),
        ("{{ a + 1 }} {{ a * 2 }} {{ a / 2 }} {{ -a }} {{ a % 2 }}", "8 14 3.5 -7 1"),
        ("{{ a / 0 }}x", "x"),
        ("{{ b ~ '-' ~ c }}", "x-true"),
        ("{{ b + 1 }}{{ 1 + b }}{{ nothing + 1 }}{{ 1 + nothing }}.", "."),
        ("{{ b - b }}{{ b * b }}{{ b / b }}.", "."),
        ("{{ +a }} {{ a // 2 }}", "7 3"),
        ("{{ -'7' }}{{ -b }}{{ +b }}.", "-7."),
        ("{{ infinite + 1 }}{{ large * 100 }}.", "."),
        ("{{ b + b }}", "xx"),
        ("{{ nothing | default('none') }}", "none"),
        ("{{ b | upper }} {{ ' y ' | trim | title }} {{ 'abc' | length }}", "X Y 3"),
        ("{{ 3.14159 | round(2) }} {{ 'x' | round }}", "3.14"),
        ("{{ 0.123456789876 | round(12) }} {{ 12345678901234 | round(-12) }}", "0.1234567899 12350000000000"),
        ("{{ d }}", '{"k": [1, "two"]}'),
        ("{{ {'x': 'eks'}[b] }}", "eks"),
        ("{% if a > 5 %}high{% elif a is odd %}odd{% else %}low{% endif %}", "high"),
        ("{% if nothing > 5 or nothing is odd or nothing %}yes{% else %}no{% endif %}", "no"),
        ("{% if nothing < 5 or nothing <= 5 or nothing >= 5 %}yes{% else %}no{% endif %}", "no"),
        ("{{ b[0:1] }}{{ nothing.deeper.still }}", "x"),
        ("{{ range }}{{ dict }}{{ lipsum }}{{ namespace }}.", "."),
        ("{{ b.__class__.__mro__ }}{{ b.__init__ }}safe", "safe"),
    ],
)
def test_the_template_language_has_these_features(template: str, text: str) -> None:
    assert find_template_problem(template) is None
    assert rendered(template, a=7, b="x", c=True, d={"k": [1, "two"]}, infinite=math.inf, large=10**29) == text


FILTERED = {
    "abs": ("{{ n | abs }}", "7"),
    "capitalize": ("{{ w | capitalize }}", "One two"),
    "count": ("{{ w | count }}", "7"),
    "d": ("{{ nothing | d('none') }}", "none"),
    "default": ("{{ nothing | default('none') }}{{ n | default('none') }}", "none-7"),
    "first": ("{{ w | first }}", "o"),
    "float": ("{{ '2' | float + 0.5 }}", "2.5"),
    "int": ("{{ '2.9' | int }}", "2"),
    "last": ("{{ w | last }}", "O"),
    "length": ("{{ w | length }}", "7"),
    "lower": ("{{ w | lower }}", "one two"),
    "replace": ("{{ w | replace('one', n) }} {{ w | replace('', 'x') }}", "-7 TWO one TWO"),
    "round": ("{{ 2.567 | round(1) }} {{ 2.5678 | round }}", "2.6 3"),
    "string": ("{{ (n | string) + '1' }}", "-71"),
    "title": ("{{ w | title }}", "One Two"),
    "trim": ("{{ '  a b ' | trim }}.", "a b."),
    "truncate": ("{{ w | truncate(5) }} {{ w | truncate(6) }} {{ w | truncate(7) }}", "one… one T… one TWO"),
    "upper": ("{{ w | upper }}", "ONE TWO"),
    "urlencode": ("{{ 'a b/ä?' | urlencode }}", "a%20b/%C3%A4%3F"),
}


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_each_filter_does_what_its_name_says(name: str) -> None:
    template, text = FILTERED[name]
    assert find_template_problem(template) is None
    assert rendered(template, w="one TWO", n=-7) == text


OF_VALUES = {
    "boolean": ("yes", "n"),
    "defined": ("n", "nothing"),
    "eq 7": ("7", "n"),
    "equalto 7": ("7", "n"),
    "even": ("8", "n"),
    "false": ("no", "yes"),
    "float": ("2.5", "n"),
    "ge 7": ("7", "6"),
    "gt 7": ("8", "7"),
    "in [7, 8]": ("8", "n"),
    "integer": ("n", "2.5"),
    "le 7": ("7", "8"),
    "lt 7": ("6", "7"),
    "mapping": ("{'a': 1}", "[1]"),
    "ne 7": ("n", "7"),
    "none": ("none", "n"),
    "number": ("n", "w"),
    "odd": ("n", "8"),
    "sequence": ("[1]", "n"),
    "string": ("w", "n"),
    "true": ("yes", "no"),
    "undefined": ("nothing", "n"),
}


def test_each_test_is_true_of_one_value_and_false_of_another() -> None:
    assert {test.partition(" ")[0] for test in OF_VALUES} == {name for name in TESTS if name.isalpha()}
    for test, values in OF_VALUES.items():
        template = " ".join(f"{{{{ 1 if {value} is {test} else 0 }}}}" for value in values)
        assert find_template_problem(template) is None
        assert (test, rendered(template, w="word", n=-7, yes=True, no=False)) == (test, "1 0")


@pytest.mark.parametrize(("template", "error"), [("{{ 'a' if a > 3 }}", "TypeError"), ("{{ a[::0] }}", "ValueError")])
def test_a_text_that_cannot_be_rendered_is_an_error(template: str, error: str) -> None:
    assert find_template_problem(template) is None
    with pytest.raises(TemplateFailedError, match=error):
        rendered(template, a="a word")


def doubled(times: int) -> str:
    """Return an expression that doubles a value by addition, a number of times."""
    return "a" if not times else f"({doubled(times - 1)} + {doubled(times - 1)})"


BOMBS = [
    "{{ 'x' * 9999999999 }}",
    "{{ a * 9999999999 }}",
    "{{ '%9999999999d' % 1 }}",
    "{{ 999999999 * 999999999 * 999999999 * 999999999 * 999999999 }}",
    "{{ a ~ a ~ a ~ a }}",
    f"{{{{ {doubled(9)} }}}}",
    "{{ " + "a ~ " * 1000 + "a }}",
    "{{ a }}" * 1000,
    "{{ a | replace('a', a) | replace('a', a) | replace('a', a) }}",
    "{{ [a, a, a, a] ~ [a, a] }}",
    "{{ [" + "a, " * 1000 + "a] }}",
    "{{ 3 | round(999999999) }}",
]


@pytest.mark.parametrize("template", BOMBS, ids=lambda text: text[:30])
def test_an_expensive_text_costs_little_when_compiled_and_when_filled_in(template: str) -> None:
    assert find_template_problem(template) is None
    tracemalloc.start()
    try:
        assert len(rendered(template, a="a" * 1_000_000)) <= ACTIVITY_COMMENT_LENGTH
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@given(
    st.dictionaries(
        st.sampled_from(["score", "feedback", "currentPageUrl", "flowName", "itemIndex", "checklistName", "eventName"]),
        st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text(), max_size=2)),
    )
)
def test_the_shipped_texts_render_any_values(values: dict[str, object]) -> None:
    for text in SHIPPED.values():
        subject, comment = text.render(values.get)
        assert len(subject.encode("utf-16-le")) <= 2 * TEXT_LENGTH
        assert len(comment.encode("utf-16-le")) <= 2 * ACTIVITY_COMMENT_LENGTH
        assert "\n" not in subject
        assert "\ue000" not in subject + comment
