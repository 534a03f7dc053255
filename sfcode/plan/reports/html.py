"""The plan as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from sfcode.lazy_dataclasses import dataclass
from sfcode.metadata.component import Address
from sfcode.plan.plan import Plan
from sfcode.plan.provenance import DIRTY, Provenance
from sfcode.plan.reports import ReportOptions
from sfcode.plan.reports.picture import pictures
from sfcode.plan.reports.plan_items import RELAY_TITLE, Item, headline, items, relay_item
from sfcode.plan.risk import Judgment, Risk
from sfcode.text import printable

KINDS = {"+": "create", "-": "delete", "~": "update", " ": "same", ".": "same"}
"""The CSS class of each sign."""
LONGEST_LIST = 50
"""The maximum number of changes of one risk that the summary lists; it folds a longer list."""
SPOKEN = {"+": "added", "-": "removed", "~": "changed"}
"""The text alternative of a sign, for screen readers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item on the page: its anchor, its risk, and its YAML lines."""

    anchor: str
    item: Item
    judgment: Judgment | None
    places: tuple[tuple[str, str], ...]
    """Texts and links, which may be empty."""


def render(plan: Plan, options: ReportOptions) -> str:
    """Render the page with the risk of each change."""
    return html(plan, options.judge(plan))


def html(plan: Plan, judged: Mapping[Address, Judgment] | None = None) -> str:
    """Render the page, without scripts or external requests. `judged` has the risk of changes."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def spelled_out(value: object) -> str:
        # The result of a template's macro is already escaped.
        return value if isinstance(value, Markup) else printable(str(value))

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=spelled_out
    )
    template = environment.from_string((files(__package__) / "plan.html.j2").read_text(encoding="utf-8"))
    entries = _list_entries(plan, {str(address): judgment for address, judgment in (judged or {}).items()})
    judgments = [entry.judgment for entry in entries if entry.judgment]
    relay = relay_item(plan)
    sections = [("Changes", entries), (RELAY_TITLE, [Entry("relay", relay, None, ())] if relay else [])]
    return template.render(
        plan=plan,
        headline=headline(plan),
        sections=[(title, group) for title, group in sections if group],
        kinds=KINDS,
        spoken=SPOKEN,
        summary=_summarize(entries),
        longest_list=LONGEST_LIST,
        worst=max((judgment.risk for judgment in judgments), default=None),
        access=[sentence for judgment in judgments for sentence in judgment.access],
        pictures=pictures(plan),
        source=_describe_source(plan.provenance),
    )


def _list_entries(plan: Plan, judged: Mapping[str, Judgment]) -> list[Entry]:
    provenance = plan.provenance
    lines = provenance.lines if provenance else {}
    return [
        Entry(
            f"change-{number}",
            item,
            judged.get(item.address),
            tuple((place, provenance.line_link(place)) for place in lines.get(item.address, ())) if provenance else (),
        )
        for number, item in enumerate(items(plan), start=1)
    ]


def _summarize(entries: Sequence[Entry]) -> list[tuple[Risk, list[Entry]]]:
    """Group the entries by risk, the highest first."""
    groups: dict[Risk, list[Entry]] = {}
    for entry in entries:
        if entry.judgment:
            groups.setdefault(entry.judgment.risk, []).append(entry)
    return sorted(groups.items(), reverse=True)


@dataclass(frozen=True, slots=True)
class Source:
    """When and from which source the plan was made, as texts of the page."""

    made_at: str
    commit: str
    link: str
    repository: str
    dirty: bool


def _describe_source(provenance: Provenance | None) -> Source | None:
    if provenance is None:
        return None
    commit = provenance.commit.removesuffix(DIRTY)
    return Source(
        provenance.made_at,
        commit[:10],
        provenance.commit_link,
        provenance.repository.partition("://")[2],
        provenance.commit.endswith(DIRTY),
    )
