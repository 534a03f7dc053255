"""The saved ratios: each has a minimum, or must not fall below that of the last saved run by more than the noise."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT

FILE = ROOT / "benchmarks" / "ratios.json"

LEAST_NOISE = 0.01
"""The relative decrease that is always accepted, even if the rounds hardly differ: the size of a state, for example,
depends on the times in it."""


@dataclass(frozen=True)
class Ratio:
    """A figure for which higher is better, with the value of each round."""

    name: str
    rounds: Sequence[float]
    least: float = 0.0
    """The minimum of the ratio. If it is set, the ratio is not compared with the saved one: the straightness of growth,
    for example, also decreases when the start gets faster."""

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def noise(self) -> float:
        """The relative spread of the rounds."""
        return max(self.rounds) - min(self.rounds)


@dataclass(frozen=True)
class Section:
    """The result of one part of the benchmarks: its table, and its saved ratios."""

    text: str
    ratios: tuple[Ratio, ...] = ()


def read_saved(file: Path = FILE) -> dict[str, Ratio]:
    """Read the ratios of the last saved run; none if there was no such run."""
    if not file.is_file():
        return {}
    return {name: Ratio(name, rounds) for name, rounds in json.loads(file.read_text("utf-8")).items()}


def save(ratios: Iterable[Ratio], file: Path = FILE) -> None:
    """Write the rounds of the ratios."""
    rounds = {ratio.name: [round(value, 3) for value in ratio.rounds] for ratio in ratios}
    file.write_text(json.dumps(rounds, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def list_fallen(ratios: Iterable[Ratio], saved: Mapping[str, Ratio]) -> list[str]:
    """Describe the ratios that are below their minimum or, without one, below the saved ratio by more than the noise."""
    fallen = []
    for ratio in ratios:
        if ratio.value < ratio.least:
            fallen.append(f"{ratio.name}: {ratio.value:.2f}, and {ratio.least:.2f} is the least")
            continue
        former = saved.get(ratio.name)
        if former is None or ratio.least:
            continue
        noise = max(ratio.noise, former.noise, former.value * LEAST_NOISE)
        if ratio.value < former.value - noise:
            fallen.append(f"{ratio.name}: {ratio.value:.2f}, and was {former.value:.2f}; rounds differ by {noise:.2f}")
    return fallen
