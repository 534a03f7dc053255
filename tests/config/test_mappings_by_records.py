"""Mappings that share records are found by their conditions, with the same result as a comparison of all pairs."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from sfcode.config.mapping_models import Mapping
from sfcode.config.rules.project import Draft, MappingsByRecords
from sfcode.diagnostics import Position
from sfcode.mapping.conditions import are_apart

CONDITIONS = [
    *("a", "b", "C", ["a", "b"], ["b", "c"]),
    *({"not": "a"}, {"not": ["a", "B"]}, {"blank": True}, {"blank": False}, True, False, {"not": True}),
]


def draft(number: int, conditions: dict[str, object]) -> Draft:
    spec = Mapping.model_validate(
        {"object": "Contact", "direction": "to_appcues", "user_id": "Key__c", "where": conditions}
    )
    return Draft(f"m{number:02}", spec, SimpleNamespace(keys={(): Position("m.yaml", 1, 1)}))


@pytest.mark.parametrize("seed", range(60))
def test_the_first_mapping_that_shares_records_is_found(seed):
    chance = random.Random(seed)
    mappings_by_records, before = MappingsByRecords(), []
    for number in range(12):
        fields = chance.sample(["A__c", "B__c", "a__c", "C__c"], chance.choice([0, 1, 1, 2, 2]))
        new = draft(number, {field: chance.choice(CONDITIONS) for field in fields})
        shared = [old for old in before if not are_apart(old.conditions, new.conditions)]
        assert mappings_by_records.find(new) is (shared[0] if shared else None)
        if not shared:
            mappings_by_records.add(new)
            before.append(new)
    assert len(before) > 0
