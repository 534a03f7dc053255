"""Twenty random journeys in every test run; `make journeys` runs two hundred longer ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.random_journeys import SHORT, Traveler, open_org

EACH = 5
"""The number of journeys that share an org; each journey leaves it unchanged."""


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[[int], Traveler]]:
    with open_org(tmp_path) as start:
        yield start


@pytest.mark.parametrize("first", range(0, 20, EACH))
def test_no_random_journey_fails(start: Callable[[int], Traveler], first: int) -> None:
    for seed in range(first, first + EACH):
        traveler = start(seed)
        try:
            traveler.travel(SHORT)
        except Exception as error:
            error.add_note("\n".join([f"seed {seed}", *traveler.steps_so_far]))
            raise


def test_an_apply_without_effect_fails_a_random_journey(
    start: Callable[[int], Traveler], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks of a journey fail if an apply does nothing."""
    traveler = start(1)
    monkeypatch.setattr(Traveler, "apply_once", lambda *_: None)
    with pytest.raises(AssertionError, match="the plan after an apply is not empty|NoneType"):
        traveler.travel(SHORT)
