"""Canonical bodies of any type of the table, made by hypothesis."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from sfcode.metadata import schema_table
from sfcode.metadata.component import Component
from sfcode.metadata.types import TYPES, identity_key, is_unordered

TYPE_NAMES = sorted(
    name for name in TYPES if name in schema_table.roots() and name not in ("Workflow", "StaticResource")
)

# What XML can hold; a carriage return alone would be read back as a line feed.
TEXTS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n\t", exclude_characters="\ufffe\uffff"
    ),
    max_size=12,
)
NAMES = st.text("AbZ_09.-é ", min_size=1, max_size=8)
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "double": st.sampled_from(["63.0", "0.5", "-1.0"]),
    "date": st.just("2026-11-23"),
    "dateTime": st.just("2026-11-23T14:36:47.000Z"),
    "time": st.just("14:36:47.000Z"),
    "base64Binary": st.sampled_from(["", "e30=", "YWJj"]),
    "anyType": st.one_of(
        st.fixed_dictionaries({"type": st.just("string"), "value": TEXTS}),
        st.fixed_dictionaries({"type": st.just("boolean"), "value": st.booleans()}),
    ),
}


@cache
def _value(type_: str, depth: int) -> st.SearchStrategy[Any]:
    if schema_table.elements(type_) is not None:
        return bodies(type_, depth - 1)
    allowed = schema_table.values(type_)
    return st.sampled_from(sorted(allowed)) if allowed else SIMPLE.get(type_, TEXTS)


@cache
def _element(owner: str, spec: schema_table.Element, depth: int) -> st.SearchStrategy[Any]:
    item = _value(spec.type, depth)
    if not spec.repeated:
        return item
    key = identity_key(owner, spec.name)
    if key is not None:
        without = item.map(lambda body: {name: value for name, value in body.items() if name != key})
        return st.dictionaries(NAMES, without, min_size=1, max_size=3).map(
            lambda entries: dict(sorted(entries.items()))
        )
    if is_unordered(owner, spec.name):
        return st.sets(NAMES, min_size=1, max_size=3).map(sorted)
    return st.lists(item, min_size=1, max_size=3)


@cache
def bodies(type_: str, depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Return bodies with all required elements and a few others, in schema order."""
    specs = {name: spec for name, spec in (schema_table.elements(type_) or {}).items() if name != "fullName"}
    optional = [
        name
        for name, spec in specs.items()
        if not spec.required and (depth > 0 or schema_table.elements(spec.type) is None)
    ]

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        some = draw(st.sets(st.sampled_from(optional), max_size=4)) if optional else set()
        return {
            name: draw(_element(type_, spec, depth)) for name, spec in specs.items() if spec.required or name in some
        }

    return build()


@st.composite
def components(draw: st.DrawFn) -> Component:
    """Draw a component of any type."""
    type_ = draw(st.sampled_from(TYPE_NAMES))
    return Component(type_, "Contact.One" if TYPES[type_].parent else "One", draw(bodies(type_)))
