"""Any content of a file ends in a loaded project or in problems with a position."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfcode.config import load, template
from sfcode.config.events_file import render_events_file
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config"
FILES = {
    "sfcode.yaml": (CONFIG / "sfcode.yaml").read_text(encoding="utf-8"),
    "mappings/contact.yaml": (CONFIG / "mappings" / "contact.yaml").read_text(encoding="utf-8"),
    "events.yaml": render_events_file(),
}
PIECES = st.sampled_from(
    [
        *"{}[]:,-&*!|>'\"#%@` \n\t",
        "? ",
        "<<: ",
        "&a ",
        "*a",
        "${",
        "${x}",
        "$${",
        "${secret:A}",
        "{{",
        "{% if",
        "~",
        "1.0",
        "true",
        "---\n",
        "...\n",
        "\x00",
        "\x85",
        "\u2028",
        "\ufeff",
        "!!int ",
        "!x ",
        "field",
        "create: ",
        "[[[[",
        "}}",
    ]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES | st.text(max_size=5)), min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def loads_or_explains(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        problems: Iterable[Diagnostic] = ()
        try:
            load(Path(folder), "local")
        except ConfigError as error:
            problems = error.problems
        assert [problem for problem in problems if not (problem.message and problem.hint)] == []


@given(st.sampled_from(sorted(FILES)), EDITS)
@settings(max_examples=300, deadline=None)
def test_a_mangled_file_is_loaded_or_reported_with_problems(name: str, edits: list[tuple[float, int, str]]) -> None:
    text = FILES[name]
    for fraction, cut, piece in edits:
        start = int(fraction * len(text))
        text = text[:start] + piece + text[start + cut :]
    loads_or_explains({**{key: value.encode() for key, value in FILES.items()}, name: text.encode("utf-8", "replace")})


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=60))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_loaded_or_reported_with_problems(name: str, data: bytes) -> None:
    loads_or_explains({**{key: value.encode() for key, value in FILES.items()}, name: data})


@given(st.sampled_from(sorted(FILES)), st.data())
@settings(max_examples=200, deadline=None)
def test_any_value_of_any_key_is_loaded_or_reported_with_problems(name: str, data: st.DataObject) -> None:
    import yaml

    tree = yaml.load(FILES[name], Loader=yaml.BaseLoader)
    node, parts = tree, 0
    while isinstance(node, dict) and node and parts < 4:
        key = data.draw(st.sampled_from(sorted(node)))
        parts += 1
        if not isinstance(node[key], dict) or data.draw(st.booleans()):
            node[key] = data.draw(VALUES)
            break
        node = node[key]
    text = yaml.safe_dump(tree, allow_unicode=True)
    loads_or_explains({**{key: value.encode() for key, value in FILES.items()}, name: text.encode("utf-8", "replace")})


TEMPLATES = st.lists(
    st.sampled_from(
        [
            "{{ a }}",
            "{{",
            "}}",
            "{% if a %}",
            "{% endif %}",
            "{% for x in a %}",
            "{% endfor %}",
            "{% else %}",
            "| upper",
            "| nope",
            "is defined",
            "is nope",
            "{# #}",
            "{% set b = 1 %}",
            "{% block x %}",
            "{% endblock %}",
            "{{ a.b[0] }}",
            "{% include 'x' %}",
            "{% extends 'x' %}",
            "{% macro m(a) %}",
            "{% endmacro %}",
            "{% raw %}",
            "{% endraw %}",
            "{{ 1 +",
            "{{ a | upper }}",
            "{% filter nope %}",
            "{% endfilter %}",
            "text",
            " ",
            "\n",
            "{{ 'x' ~ a }}",
        ]
    )
    | st.text(max_size=4),
    max_size=8,
).map("".join)


@given(TEMPLATES)
@settings(max_examples=300, deadline=None)
def test_a_template_without_fault_compiles_in_the_sandbox(text: str) -> None:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if template.find_template_problem(text) is None:
        ImmutableSandboxedEnvironment().from_string(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 9 ** 9 ** 9 ** 9 }}", "** is not part of the template language"),
        ("{{ 'x' | center(99999999999) }}", "there is no filter named center"),
        ("{{ 'x'.ljust(99999999999) }}", "calls such as x() are not part of the template language"),
        ("a\n{% for x in range(9**9) %}{% endfor %}", "{% for %} is not part of the template language"),
        ("{% set a = 'x' %}", "{% set %} is not part of the template language"),
        ("{% filter upper %}x{% endfilter %}", "{% filter %} is not part of the template language"),
    ],
)
def test_expensive_template_features_are_not_part_of_the_language(text: str, message: str) -> None:
    assert template.find_template_problem(text) == (1 + text.count("\n"), message)


def test_a_template_is_checked_without_rendering_it() -> None:
    assert template.find_template_problem("{{ 'x' * 99999999999 }}") is None


@pytest.mark.parametrize(
    "text", ["{{ " + "(" * 9000 + "a" + ")" * 9000 + " }}", "{{ " + "1 + " * 99 + "1 }}", "{{ a" + ".b" * 99 + " }}"]
)
def test_a_deeply_nested_template_is_refused(text: str) -> None:
    assert template.find_template_problem(text) == (1, "nested too deeply")
