"""
Write the saved results of the benchmarks into the pages of the documentation that name them.

A figure on a page is followed by a comment with its source: `30 ms<!-- bench: Section > row > column -->`. A row is
named by its first cell, or by as many of its first cells as distinguish it from other rows: `durable in SQLite, 64`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
Figures = dict[tuple[str, str, str], str]

_FIGURE = re.compile(r"[\d.,]+(?: (?:ms|s|[kM]B|%))?(?=<!-- bench: (.+?) > (.+?) > (.+?) -->)")


def read_figures(text: str) -> Figures:
    """Return the cells of all tables by section, row and column, without cells whose name is ambiguous."""
    cells: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0].strip()
        for table in re.findall(r"^\|.*\n\|[-: |]+\|\n(?:\|.*\n?)+", section, re.MULTILINE):
            header, _, *rows = (_split_row(line) for line in table.splitlines())
            for row in rows:
                for name in (row[0], ", ".join(row[:2])):
                    for column, cell in zip(header, row, strict=True):
                        cells[title, name, column].append(cell)
    return {place: values[0] for place, values in cells.items() if len(values) == 1}


def write_figures(text: str, figures: Figures, page: str) -> str:
    """
    Return the text of a page with the present figures of the results.

    Raises SystemExit if a comment names a figure that is not in the results.
    """

    def replace(match: re.Match[str]) -> str:
        key = (match[1], match[2], match[3])
        if key not in figures:
            raise SystemExit(f"{page}: benchmarks/RESULTS.md has no figure {' > '.join(key)}; correct the comment")
        return figures[key]

    return _FIGURE.sub(replace, text)


def measured_pages() -> dict[Path, str]:
    """Return the updated text of each page that contains figures of the benchmarks."""
    figures = read_figures(RESULTS.read_text(encoding="utf-8"))
    paths = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    return {
        path.relative_to(ROOT): write_figures(text, figures, path.name)
        for path, text in texts.items()
        if _FIGURE.search(text)
    }


def _split_row(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
