"""Parsed queries and formulas are reused, and a client that sends many different ones does not fill the memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from sfcode.local.formula import parser as formulas
from sfcode.local.sobjects import catalog, describe, grants, standard
from sfcode.local.soql import index_hints, parser
from sfcode.local.tables import components

TITLE = standard.standard_objects()["Contact"].fields["title"]


def _describe(number: int) -> object:
    return describe.describe_field(dataclasses.replace(TITLE, label=f"Title {number}"))


CACHED: dict[str, tuple[Any, Callable[[int], object]]] = {
    "query": (parser.parse, lambda number: parser.parse(f"SELECT Id FROM Contact LIMIT {number}")),
    "formula": (formulas.parse, lambda number: formulas.parse(f"{number}")),
    "rights": (grants.parse_rights, lambda number: grants.parse_rights(f'{{"label": "{number}"}}')),
    "field": (describe.describe_field, _describe),
    "component": (components._component, lambda number: components._component("Report", f"R{number}", "{}")),
    "object": (standard.data_object, lambda number: standard.data_object(f"thing{number}__c")),
    "owners": (catalog._standard_owners, lambda number: catalog._standard_owners(f"thing{number}__c")),
    "number": (index_hints.number_behind, lambda number: index_hints.number_behind(f"TEXT(N{number}__c)")),
}


@pytest.mark.parametrize("name", CACHED)
def test_results_are_reused_and_those_not_used_for_longest_are_dropped(name: str) -> None:
    cache, call = CACHED[name]
    cache.cache_clear()
    bound = cache.cache_parameters()["maxsize"]
    for number in (0, 0, *range(1, bound + 1), 0):
        call(number)
    info = cache.cache_info()
    assert (info.hits, info.misses, info.currsize) == (1, bound + 2, bound)
