"""What fails a run of the benchmarks: a ratio that is below the saved one by more than the noise of either run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.measure import measure_process
from benchmarks.ratios import Ratio, list_fallen, read_saved, save

SAVED = {"plan": Ratio("plan", (4.9, 5.0, 5.2))}


@pytest.mark.parametrize(
    ("rounds", "lines"),
    [
        ((4.7, 4.7, 4.7), []),
        ((4.6, 4.6, 4.6), ["plan: 4.60, and was 5.00; rounds differ by 0.30"]),
        ((4.2, 4.6, 4.8), []),
        ((9.0, 9.0, 9.0), []),
    ],
    ids=["in the saved noise", "below it", "in the present noise", "better"],
)
def test_a_ratio_may_fall_by_the_noise(rounds: tuple[float, ...], lines: list[str]) -> None:
    assert list_fallen([Ratio("plan", rounds), Ratio("new", (1.0,))], SAVED) == lines


def test_saved_ratios_are_read(tmp_path: Path) -> None:
    file = tmp_path / "ratios.json"
    assert read_saved(file) == {}
    save(SAVED.values(), file)
    assert {name: [*ratio.rounds] for name, ratio in read_saved(file).items()} == {"plan": [4.9, 5.0, 5.2]}


def test_the_memory_is_that_of_the_process_itself(tmp_path: Path) -> None:
    held = b"1" * 200_000_000
    usage = measure_process([sys.executable, "-I", "-S", "-c", "pass"], tmp_path)
    assert usage.peak_memory < len(held) / 2
    grown = measure_process([sys.executable, "-I", "-S", "-c", "bytearray(b'1') * 100_000_000"], tmp_path)
    assert grown.peak_memory > usage.peak_memory + 50_000_000


def test_a_ratio_below_its_least_has_fallen_whatever_was_saved() -> None:
    ratio = Ratio("growth", (0.4, 0.5, 0.6), least=0.9)
    assert list_fallen([ratio], {}) == ["growth: 0.50, and 0.90 is the least"]
    assert list_fallen([Ratio("growth", (0.9,), least=0.9)], {}) == []
