"""The relay as Salesforce reaches it, and what waits on the way there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sfcode.checks.doctor.facts import Facts, Unknown
from sfcode.checks.doctor.finding import Finding, Level, at
from sfcode.config.project import Project
from sfcode.config.urls import is_loopback
from sfcode.plan.ownership import is_connectors

TROUBLE = {
    "connection": (
        "D403",
        "Start the service that receives the messages and open the way to it: address, name service, firewall.",
    ),
    "certificate": (
        "D404",
        "Salesforce sends to certificates of public authorities only: check the name, the dates and the chain.",
    ),
    "health": ("D405", "See the relay's log and /readyz; a proxy before it may answer in its place."),
}

QUEUE = "Setup > Outbound Messages > View Message Delivery Status"


def check(project: Project, facts: Facts) -> Iterator[Finding]:
    """Judge the way from Salesforce to the relay."""
    if facts.endpoint is None:
        return
    place, endpoint = project.place("relay", "url"), facts.endpoint
    url = endpoint.url
    here = is_loopback(urlsplit(url).hostname or "")
    if endpoint.out_of_reach:
        message = f"Salesforce cannot reach {url}: it is an address of {endpoint.out_of_reach}"
        yield at("D402", Level.ERROR, place, message, "Give the relay a public https address, and apply.")
    elif here:
        yield at("D402", Level.INFO, place, f"{url} is this machine, as the local org is; no other org could reach it")
    else:
        yield at("D402", Level.OK, place, f"{url} is a public address")
    if endpoint.trouble is not None:
        id, hint = TROUBLE[endpoint.trouble.kind]
        message = f"the relay does not answer from here: {endpoint.trouble.reason}"
        yield at(id, Level.INFO if here else Level.WARNING, place, message, hint)
    elif not endpoint.out_of_reach:
        yield at("D405", Level.OK, place, f"{url} answers from here")
    yield from _carriers(project, facts)
    if any(one.sends and one.by_relay for one in project.resolved):
        message = "which messages wait or failed is shown by no API"
        yield Finding("D401", Level.INFO, message, f"Look at {QUEUE}.", facts.org.name)


def _carriers(project: Project, facts: Facts) -> Iterator[Finding]:
    """Find what Appcues' own connector sends of objects that the relay carries."""
    if isinstance(facts.messages, Unknown):
        message = f"whether Appcues' own connector is at work too cannot be told ({facts.messages.reason})"
        yield Finding("D406", Level.INFO, message, where=facts.org.name)
        return
    for one in project.resolved:
        names = sorted(name for name in facts.messages if one.by_relay and is_connectors(name, one.object))
        if names:
            message = (
                f"Appcues' own connector is connected to this org too: {', '.join(names)}; what both carry comes twice"
            )
            hint = "Deactivate its integration in Appcues Studio, and name message and rule under `replaces`."
            yield at("D406", Level.WARNING, one.place("delivery"), message, hint)
