"""Pictures of the data flows, one per mapping, with the changes of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from sfcode.lazy_dataclasses import dataclass
from sfcode.plan.data_flows import FlowOfData
from sfcode.plan.plan import Plan

Sign = Literal["+", "-", "~", " "]


@dataclass(frozen=True, slots=True)
class Link:
    """An attribute or event of Appcues, and the change of its connection."""

    name: str
    sign: Sign
    was: str = ""
    """The former connection, if it changes."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field or object of Salesforce, and its connections."""

    name: str
    sign: Sign
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of one mapping: Salesforce on the left, Appcues on the right, the transport between them."""

    title: str
    sign: Sign
    left: str
    right: str
    sent: tuple[Row, ...]
    senders: tuple[str, ...]
    """The components that send the data, in order."""
    written: tuple[Row, ...]
    carrier: str


def pictures(plan: Plan) -> tuple[Picture, ...]:
    """Return the pictures of all mappings, removed ones last. Without a record of the last apply, no changes are marked."""
    has_previous = plan.previous_flows is not None
    previous = {flow.mapping: flow for flow in plan.previous_flows or ()}
    present = {flow.mapping for flow in plan.flows}
    return (
        *(_draw(flow, previous.get(flow.mapping) if has_previous else flow) for flow in plan.flows),
        *(_draw(None, flow) for name, flow in previous.items() if name not in present),
    )


def _draw(after: FlowOfData | None, before: FlowOfData | None) -> Picture:
    flow = after or before
    if flow is None:
        raise ValueError("a picture needs a flow before or after")
    sign: Sign = "+" if before is None else "-" if after is None else " "
    sent_links = _compare(_list_sent(before), _list_sent(after))
    written_links = _compare(_list_written(before), _list_written(after))
    return Picture(
        title=f"{flow.mapping}: {flow.object} and Appcues {flow.match}s",
        sign=sign,
        left=f"Salesforce {flow.object}",
        right=f"Appcues {flow.match} profile and events",
        sent=tuple(Row(name, link.sign, (link,)) for name, link in sent_links),
        senders=(*flow.senders, flow.carrier),
        written=tuple(_group(written_links)),
        carrier=flow.carrier,
    )


def _list_sent(flow: FlowOfData | None) -> list[tuple[str, str]]:
    return [(f"{flow.object}.{name}", attribute) for name, attribute in flow.sent] if flow else []


def _list_written(flow: FlowOfData | None) -> list[tuple[str, str]]:
    return [(target, event) for event, target in flow.written] if flow else []


def _compare(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Link]]:
    """Compare pairs of Salesforce and Appcues names; removed pairs come last."""
    removed = [pair for pair in before if pair not in after]
    added = [pair for pair in after if pair not in before]
    for pair in after:
        name, other = pair
        if pair not in added:
            yield name, Link(other, " ")
            continue
        former = [old for old in removed if old[1] == other]
        if len(former) == 1 and [new for new in added if new[1] == other] == [pair]:
            removed.remove(former[0])
            yield name, Link(other, "~", former[0][0])
        else:
            yield name, Link(other, "+")
    for name, other in removed:
        yield name, Link(other, "-")


def _group(pairs: Iterator[tuple[str, Link]]) -> Iterator[Row]:
    """Group the links of each target in a row. The row has their sign if all links have the same one."""
    links: dict[str, list[Link]] = {}
    for name, link in pairs:
        links.setdefault(name, []).append(link)
    for name, inside in links.items():
        signs = {link.sign for link in inside}
        yield Row(name, signs.pop() if len(signs) == 1 else " ", tuple(inside))
