"""The canonical form changes order, indentation and spacing, but never a value, comment or quote."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.config.files import kind_of
from sfcode.config.format import format_text
from sfcode.config.yaml import parse
from sfcode.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    path
    for folder in ("config", "sfcode/scaffold/config")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if kind_of(path)
]

WRITTEN = """\
# yaml-language-server: $schema=../.schema/mapping.json
# about activities
to_salesforce:
      activities:   [nps_score,flow_completed]   # which
      # the score
      nps:
            feedback: {create: true, field: F__c}
            # score it
            score:
               create:   true
               # which field
               field: "X__c"
         # behind the score


match: 'user'
user_id: {from: N__c, field: A__c}

# the object
object:    Contact
direction: both  \x20
to_appcues:
  attributes:
    zeta: B
    # alpha
    alpha: {type: string, field: C}
  on:
  - create
  -   update
# the end
"""
CANONICAL = """\
# yaml-language-server: $schema=../.schema/mapping.json
# the object
object: Contact

match: 'user'
direction: both

user_id: {field: A__c, from: N__c}
to_appcues:
  on:
    - create
    - update
  attributes:
    zeta: B
    # alpha
    alpha: {field: C, type: string}
# about activities
to_salesforce:
  # the score
  nps:
    # score it
    score:
      # which field
      field: "X__c"
      create: true
    feedback: {field: F__c, create: true}
    # behind the score
  activities: [nps_score,flow_completed]   # which
# the end
"""


def fmt(text: str, kind: str = "mapping") -> str:
    return format_text(text.encode(), "a.yaml", kind)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_files_are_canonical(path):
    assert format_text(path.read_bytes(), path.name, kind_of(path)) == path.read_text(encoding="utf-8")


def test_keys_are_moved_with_their_comments():
    assert fmt(WRITTEN) == CANONICAL


def test_windows_line_ends_and_a_byte_order_mark_are_removed():
    assert format_text(b"\xef\xbb\xbf" + WRITTEN.replace("\n", "\r\n").encode(), "a.yaml", "mapping") == CANONICAL


def test_the_first_comment_belongs_to_the_file_where_a_blank_line_follows():
    text = "# License: none.\n\n# the user\nmatch: user\nobject: Lead\n"
    assert fmt(text) == "# License: none.\n\nobject: Lead\n# the user\nmatch: user\n"


def test_names_that_the_project_chooses_keep_their_order():
    text = "environments:\n  zeta: {org: local}\n  alpha: {org: local}\nname: A\n"
    assert fmt(text, "sfcode") == "name: A\nenvironments:\n  zeta: {org: local}\n  alpha: {org: local}\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# only a comment above\nobject: Lead # and one behind\n", "mapping"),
        ("unknown: 1\nobject: Lead\nother: 2\n", "mapping"),
        ("object: >-\n  Con\n  tact\nmatch: user\n", "mapping"),
        (
            "activities:\n  flow_completed:\n    subject: S\n    comment: |\n      # no comment\n        deeper\n\n      end\n",
            "events",
        ),
        ('activities:\n  flow_completed:\n    subject: "a\n      b"\n    comment: c\n', "events"),
        ("object: &name Lead\nmatch: *name\n", "mapping"),
        ("user_id: {\n  from: N__c, # why\n  field: A__c}\n", "mapping"),
    ],
)
def test_canonical_files_and_unknown_files_are_unchanged(text, kind):
    assert fmt(text, kind) == text


def test_a_text_of_several_lines_moves_whole():
    text = (
        "activities:\n   flow_completed:\n      comment: |\n         # a\n           b\n\n         c\n      subject: S\n"
        "version: 1\n"
    )
    assert fmt(text, "events") == (
        "version: 1\nactivities:\n  flow_completed:\n    subject: S\n    comment: |\n       # a\n         b\n\n       c\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object: [", "not valid YAML"),
        ("object: A\nobject: B\n", "defined twice"),
        ("object: A\n<<: {}\n", "merge keys"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_at_its_line(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        fmt(text)
    assert str(caught.value).startswith("a.yaml:")


@st.composite
def rewritings(draw: st.DrawFn) -> tuple[Path, str]:
    """Draw a shipped file with its keys in another order, in another style, and with comments between its lines."""
    path = draw(st.sampled_from(SHIPPED))
    rng = random.Random(draw(st.integers(0, 2**32)))

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            rng.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    data = shuffled(parse(path.read_bytes(), path.name).data)
    text = yaml.safe_dump(
        data,
        sort_keys=False,
        allow_unicode=True,
        indent=draw(st.integers(2, 7)),
        width=draw(st.sampled_from([40, 10_000])),
        default_flow_style=draw(st.sampled_from([None, False])),
        default_style=draw(st.sampled_from([None, '"'])),
    )
    lines = text.splitlines()
    keyed = [number for number, line in enumerate(lines) if line.rstrip().endswith(":")]
    for number in sorted(draw(st.lists(st.sampled_from(keyed), max_size=5)) if keyed else [], reverse=True):
        indent = len(lines[number]) - len(lines[number].lstrip())
        lines.insert(number, " " * indent + f"# {number}")
    return path, "\n".join(lines) + "\n"


@settings(max_examples=60, deadline=None)
@given(rewriting=rewritings())
def test_any_notation_is_formatted_without_changing_a_value(rewriting):
    path, text = rewriting
    kind = str(kind_of(path))
    formatted = fmt(text, kind)
    assert parse(formatted.encode(), "a").data == parse(text.encode(), "a").data
    assert fmt(formatted, kind) == formatted
    assert comments(formatted) == comments(text)
    assert list(parse(formatted.encode(), "a").data) == list(parse(path.read_bytes(), "a").data)


def comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.splitlines() if line.lstrip().startswith("# "))
