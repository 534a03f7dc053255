from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from sfcode.local import ids


def test_the_last_three_characters_are_those_of_real_ids() -> None:
    # Both are from public documentation and captured messages.
    assert ids.full("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert ids.full("00Dxx0000001gPF") == "00Dxx0000001gPFEAY"


@given(st.text(string.ascii_letters + string.digits, min_size=15, max_size=15))
def test_an_id_is_the_same_with_15_and_with_18_characters(id15: str) -> None:
    assert ids.full(ids.full(id15)) == ids.full(id15)
    assert ids.is_id(ids.full(id15))


def test_ids_that_differ_in_case_only_differ_in_their_ending() -> None:
    assert ids.full("001A0000006Vm9r")[15:] != ids.full("001a0000006vm9R")[15:]


def test_a_wrong_ending_is_no_id() -> None:
    assert not ids.is_id("001A0000006Vm9rAAA")
    assert not ids.is_id("001")
    assert not ids.is_id(None)


def test_numbers_become_ids_in_order() -> None:
    record_ids = [ids.nth("003", number) for number in (1, 9, 10, 35, 36, 61, 62, 10**6)]
    assert record_ids == sorted(record_ids)
    assert len(set(record_ids)) == len(record_ids)


def test_a_derived_id_depends_on_its_parts_alone() -> None:
    assert ids.derive_id("0PS", "a", "b") == ids.derive_id("0PS", "a", "b") != ids.derive_id("0PS", "ab")
