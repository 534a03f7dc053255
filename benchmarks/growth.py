"""Growth of time and memory with the number of mappings and attributes, of whole processes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lookups import call
from benchmarks.many_mappings import fill_org, write_project
from benchmarks.measure import SFCODE, Usage
from benchmarks.peers import Program, commit_all
from benchmarks.ratios import Ratio, Section
from benchmarks.round_trip import OUTBOUND
from benchmarks.served import Org, served

MAPPINGS = (1, 10, 100, 300, 1_000)
ATTRIBUTES = (1, 10, 50, 110)
STRAIGHT = 10 / 11
"""The minimum of the ratios for growth of time: ten times the mappings take at most eleven times the time."""
ROUNDS = 2
PLAN_FILE = "plan.json"
WORDS = {
    "validate": ("validate",),
    "plan": ("plan", "--out", PLAN_FILE),
    "plan --check": ("plan", "--check"),
    "apply": ("apply", "--auto-approve"),
    "plan without changes": ("plan", "--detailed-exitcode"),
    "doctor": ("doctor",),
    "review": ("review", "--base", "HEAD"),
    "import": ("import", "--name", "Imported", "--user-id-field", "Appcues_User_Id__c", "--dry-run"),
}
"""The arguments of each verb, in an order in which each verb leaves the org and the files that the next one needs."""
METHOD = (
    "The seconds of processors of each verb as a whole process, the least of {rounds} rounds; behind each stands how many times "
    "those of the row before it are. The memory is the most that any of them took."
)


@dataclass(frozen=True)
class Growth:
    """The figures for one number of mappings or attributes."""

    usages: Mapping[str, Usage]
    plan_file: int
    state: int

    @property
    def peak_memory(self) -> int:
        """The largest memory of a verb's process, in bytes."""
        return max(usage.peak_memory for usage in self.usages.values())


def measure_mappings(counts: Sequence[int] = MAPPINGS) -> Section:
    """Return the growth with the number of mappings as Markdown."""
    rounds = [[_measure(count, 5) for count in counts] for _ in range(ROUNDS)]
    return Section(_table("mappings", counts, rounds), tuple(_ratios(counts, rounds)))


def measure_attributes(counts: Sequence[int] = ATTRIBUTES) -> Section:
    """Return the growth with the number of attributes of one mapping as Markdown."""
    rounds = [[_measure(1, count) for count in counts] for _ in range(ROUNDS)]
    return Section(_table("attributes", counts, rounds))


def _table(title: str, counts: Sequence[int], rounds: list[list[Growth]]) -> str:
    lines = [METHOD.format(rounds=ROUNDS), ""]
    lines.append(f"| {title} | {' | '.join(WORDS)} | peak memory | plan file | state |")
    lines.append("| ---: |" + " ---: |" * (len(WORDS) + 3))
    before: dict[str, float] = {}
    for row, count in enumerate(counts):
        measured = [growths[row] for growths in rounds]
        seconds = {verb: min(growth.usages[verb].cpu_seconds for growth in measured) for verb in WORDS}
        cells = [f"{value:.2f} s{_times(value, before.get(verb))}" for verb, value in seconds.items()]
        memory, sizes = min(growth.peak_memory for growth in measured), (measured[0].plan_file, measured[0].state)
        cells += [f"{memory / 1_000_000:.0f} MB", *(f"{size / 1_000:,.0f} kB" for size in sizes)]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
        before = seconds
    return "\n".join(lines)


def _times(seconds: float, before: float | None) -> str:
    return f" ({seconds / before:.1f})" if before else ""


def _ratios(counts: Sequence[int], rounds: list[list[Growth]]) -> Iterator[Ratio]:
    """Return the saved ratios: the linearity of each verb's time, and the mappings per unit of memory and of state."""
    few, many = counts[-3], counts[-1]
    for verb in WORDS:
        last, first = ([growths[row].usages[verb].cpu_seconds for growths in rounds] for row in (-1, -3))
        straight = [many / few / (after / before) for before, after in zip(first, last, strict=True)]
        yield Ratio(f"{verb}, {few} to {many:,} mappings: times the mappings per times the time", straight, STRAIGHT)
    yield Ratio(f"mappings per MB of memory, of {many:,}", [many * 1e6 / growths[-1].peak_memory for growths in rounds])
    yield Ratio(f"mappings per kB of state, of {many:,}", [many * 1e3 / growths[-1].state for growths in rounds])


def _measure(mappings: int, attributes: int) -> Growth:
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        folder = Path(name)
        write_project(folder, mappings, attributes)
        fill_org(folder / "org", mappings, attributes)
        commit_all(folder)
        with served(folder) as org:
            program = Program((SFCODE,), folder, {**OUTBOUND, "SF_ACCESS_TOKEN": org.access_token})
            usages = {verb: program.run(*_words(verb, org, mappings)) for verb in WORDS if verb != "review"}
            _rename_attribute(folder)
            usages["review"] = program.run(*_words("review", org, mappings))
            row = call(org, "GET", "/query?q=SELECT+BodyLength+FROM+StaticResource+WHERE+Name+LIKE+'%25_sfcode_state'")
            return Growth(usages, (folder / PLAN_FILE).stat().st_size, int(row["records"][0]["BodyLength"]))


def _words(verb: str, org: Org, mappings: int) -> tuple[str, ...]:
    words = ("--org", org.url, "--quiet", *WORDS[verb])
    if verb == "import":
        objects = (word for number in range(mappings) for word in ("--object", f"Thing{number}__c"))
        return ("--config", "imported", *words, *objects)
    return ("--env", "local", *words)


def _rename_attribute(folder: Path) -> None:
    """Rename one attribute of each mapping, for the review."""
    for path in (folder / "config" / "mappings").glob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("thing_0:", "first_thing:"), "utf-8")


if __name__ == "__main__":
    print(measure_mappings(MAPPINGS[:3]).text)
