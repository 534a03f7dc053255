"""A change that only reorders or reformats YAML has no effect, however it is done."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.review.model import ReviewReport
from sfcode.review.reports.markdown import markdown
from sfcode.review.reports.text import text
from tests.review.projects import FILES, edited, reviewed

RICH = edited(
    FILES,
    ("contact", "to_appcues:\n", "to_appcues:\n  trigger: flow\n  on: [create, update]\n"),
    ("settings", "relay:\n", "review: {personal_data: {accepted: [Contact.Email, Lead.Email]}}\nrelay:\n"),
) | {
    "config/events.yaml": 'version: 1\nproperties: {nps_score: {score: score}}\nactivities:\n  flow_completed: {subject: "A", comment: "B"}\n'
}


def shuffled(node: Any, order: random.Random) -> Any:
    """Reorder keys, and items of lists, since the order has no meaning in any of the lists."""
    if isinstance(node, dict):
        keys = list(node)
        order.shuffle(keys)
        return {key: shuffled(node[key], order) for key in keys}
    if isinstance(node, list):
        items = [shuffled(item, order) for item in node]
        order.shuffle(items)
        return items
    return node


def dumped(content: str, seed: int, layout: dict[str, Any]) -> str:
    """Write a file again with its entries and items in another order."""
    order = random.Random(seed)
    # The base loader parses every scalar as text; `_typed` restores the other types.
    data = _typed(shuffled(yaml.load(content, Loader=yaml.BaseLoader), order))
    text_ = yaml.safe_dump(data, sort_keys=False, allow_unicode=order.random() < 0.5, **layout)
    return "# a comment\n\n" + text_.replace("\n", "\r\n" if order.random() < 0.3 else "\n")


def _typed(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: 1 if key == "version" else value == "true" if key == "create" else _typed(value)
            for key, value in node.items()
        }
    return [_typed(item) for item in node] if isinstance(node, list) else node


LAYOUTS = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "width": st.integers(20, 200),
        "indent": st.integers(2, 8),
    }
)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), layout=LAYOUTS)
def test_reordering_and_reformatting_is_no_change(seed: int, layout: dict[str, Any]) -> None:
    after = {name: dumped(content, seed, layout) for name, content in RICH.items()}
    with tempfile.TemporaryDirectory() as folder:
        report = reviewed(Path(folder), RICH, after)
    assert report.is_empty
    assert text(report) == "No changes"
    assert markdown(report) == "### No changes\n"


@pytest.mark.parametrize(
    ("short", "old", "new"),
    [
        ("contact", "role: Title", "role: {field: Title}"),
        ("contact", "object: Contact\n", "object: Contact\nmatch: user\ndirection: both\ndelivery: relay\n"),
        ("settings", "version: 1\n", "version: 1\nsalesforce: {api_version: '63.0'}\n"),
        ("settings", "https://relay.example.com", "https://relay.example.com/"),
        ("settings", 'account_id: "1"', "account_id: ${account}"),
        (
            "contact",
            "  activities: [nps_score, flow_completed]",
            "  activities:\n    - flow_completed\n    - nps_score",
        ),
    ],
)
def test_another_notation_of_the_same_config_is_no_change(short: str, old: str, new: str, tmp_path: Path) -> None:
    """The notations are a short form, explicit defaults, a variable for a value, and a trailing slash."""
    after = edited(FILES, (short, old, new), ("settings", "env:PROD\n", 'env:PROD\n    variables: {account: "1"}\n'))
    report: ReviewReport = reviewed(tmp_path, FILES, after)
    assert report.is_empty
