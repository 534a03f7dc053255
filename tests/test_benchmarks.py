"""A run of the benchmarks fails if a ratio is below the saved one by more than the noise of both runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.measure import ProgramMissing, measure_process
from benchmarks.ratios import Ratio, list_fallen, read_saved, save
from benchmarks.run import PARTS, read_page, write_page
from scripts.figures import RESULTS, read_figures, write_figures

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
    block = b"1" * 200_000_000
    usage = measure_process([sys.executable, "-I", "-S", "-c", "pass"], tmp_path)
    assert usage.peak_memory < len(block) / 2
    grown = measure_process([sys.executable, "-I", "-S", "-c", "bytearray(b'1') * 100_000_000"], tmp_path)
    assert grown.peak_memory > usage.peak_memory + 50_000_000


def test_a_ratio_below_its_least_has_fallen_whatever_was_saved() -> None:
    ratio = Ratio("growth", (0.4, 0.5, 0.6), least=0.9)
    assert list_fallen([ratio], {}) == ["growth: 0.50, and 0.90 is the least"]
    saved = {"growth": Ratio("growth", (1.7,))}
    assert list_fallen([Ratio("growth", (0.9,), least=0.9)], saved) == []


def test_a_ratio_whose_rounds_are_the_same_may_fall_by_a_hundredth() -> None:
    saved = {"state": Ratio("state", (6.11, 6.11))}
    assert list_fallen([Ratio("state", (6.05, 6.05))], saved) == []
    assert list_fallen([Ratio("state", (6.04, 6.04))], saved) != []


MEASURED = """\
## Relay

| webhooks | clients | per second |
| --- | ---: | ---: |
| durable | 1 | 592 |
| durable | 64 | 1,668 |

| through the org | figure |
| --- | ---: |
| median | 30 ms |
"""


def test_a_page_gets_the_figures_of_the_saved_results() -> None:
    figures = read_figures(MEASURED)
    first_mark, second_mark = (
        "<!-- bench: Relay > durable, 1 > per second -->",
        "<!-- bench: Relay > durable, 64 > per second -->",
    )
    median = "<!-- bench: Relay > median > figure -->"
    page = f"| 1{first_mark} | 2,000{second_mark} | 5\n\nAfter some 1.5 s{median}, 7 ms later."
    assert (
        write_figures(page, figures, "p.md")
        == f"| 592{first_mark} | 1,668{second_mark} | 5\n\nAfter some 30 ms{median}, 7 ms later."
    )


@pytest.mark.parametrize("row", ["gone, 1", "durable"], ids=["no row", "two rows"])
def test_a_figure_that_the_results_do_not_have_is_reported(row: str) -> None:
    with pytest.raises(SystemExit, match=r"p\.md: .* has no figure Relay > "):
        write_figures(f"1<!-- bench: Relay > {row} > per second -->", read_figures(MEASURED), "p.md")


def test_a_part_that_is_measured_alone_leaves_the_others_as_they_were_saved() -> None:
    saved = RESULTS.read_text(encoding="utf-8")
    texts = read_page(saved)
    assert write_page(texts).partition("\n## ")[2] == saved.partition("\n## ")[2]
    assert list(texts) == list(PARTS)
    changed = read_page(write_page({**texts, "Schema": "| new |"}))
    assert changed == {**texts, "Schema": "| new |"}


def test_a_part_whose_program_is_missing_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure() -> str:
        raise ProgramMissing("Chromium")

    monkeypatch.setattr(run, "PARTS", {"Schema": lambda: "| a |", "Pages": measure})
    assert list(run.measure_parts()) == ["Schema"]
    assert "Pages (not measured: Chromium)" in capsys.readouterr().err


def test_measured_figures_of_the_page_on_scaling_are_in_the_results(root: Path) -> None:
    section = (root / "docs/scaling.md").read_text(encoding="utf-8").partition("## Measured")[2].partition("\n## ")[0]
    cells = [cell.strip() for line in section.splitlines() for cell in line.split("|")[2:4]]
    figures = [cell for cell in cells if re.match(r"\d", cell)]
    assert len(figures) == 8
    assert [cell for cell in figures if "<!-- bench: " not in cell] == []
    assert len(read_figures(RESULTS.read_text(encoding="utf-8"))) > 300
