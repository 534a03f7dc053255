"""The plan as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfcode.plan.plan import Plan
from sfcode.plan.reports.items import Item, headline, items


def markdown(plan: Plan) -> str:
    """Write the plan: a headline, a table of addresses, and each change folded."""
    return "\n".join(_report(plan))


def _report(plan: Plan) -> Iterator[str]:
    yield f"### {headline(plan)}"
    yield ""
    target = plan.target
    yield f"Org **{_escape(target.name)}** (`{target.org_id}`), environment `{plan.environment}`"
    for kind, texts in (("Warning", plan.warnings), ("Refused", [str(refusal) for refusal in plan.refusals])):
        for text in texts:
            yield ""
            yield f"> **{kind}:** {_escape(text)}"
    shown = items(plan)
    if not shown:
        return
    yield ""
    yield "| | address | |"
    yield "| --- | --- | --- |"
    for item in shown:
        yield f"| `{item.sign}` | `{item.address}` | {'; '.join([item.words, *item.notes])} |"
    for item in shown:
        yield ""
        yield from _details(item)


def _details(item: Item) -> Iterator[str]:
    body = [f"{line.sign} {'    ' * line.depth}{line.text}" for line in item.lines]
    fence = "`" * max(3, 1 + max((len(run) for line in body for run in re.findall("`+", line)), default=0))
    yield f"<details><summary><code>{item.sign} {_html(item.address)}</code></summary>"
    yield ""
    yield f"{fence}diff"
    # GitHub colours lines by their first character; `!` is its sign for a changed line.
    yield from (f"!{line[1:]}" if line.startswith("~") else line for line in body)
    yield fence
    yield ""
    yield "</details>"


def _escape(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", " ".join(text.split()))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
