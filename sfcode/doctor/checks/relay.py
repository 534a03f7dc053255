"""The relay as Salesforce reaches it, and what waits on the way there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sfcode.config.project import Project
from sfcode.config.urls import is_loopback, is_private
from sfcode.doctor.facts import Facts
from sfcode.doctor.finding import Finding, Level, at
from sfcode.generate import exchange
from sfcode.generate.exchange import settings_place

TROUBLE = {
    "connection": (
        "D403",
        "Start the relay (sfcode relay serve) and open the way to it: address, name service, firewall.",
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
    place = settings_place(project, "relay", "url")
    url = facts.endpoint.url
    host = urlsplit(url).hostname or ""
    near = is_loopback(host)
    if near and facts.org.is_local:
        yield at("D402", Level.INFO, place, f"{url} is this machine, as the local org is; no other org could reach it")
    elif near or is_private(host):
        message = (
            f"Salesforce cannot reach {url}: it is an address of {'this machine' if near else 'a private network'}"
        )
        yield at("D402", Level.ERROR, place, message, "Give the relay a public https address, and apply.")
    else:
        yield at("D402", Level.OK, place, f"{url} is a public address")
    if not near or facts.org.is_local:
        trouble = facts.endpoint.trouble
        if trouble is None:
            yield at("D405", Level.OK, place, f"{url} answers from here")
        else:
            id, cure = TROUBLE[trouble.kind]
            level = Level.INFO if near else Level.WARNING
            yield at(id, level, place, f"the relay does not answer from here: {trouble.reason}", cure)
    if any(one.sends and one.by_relay for one in map(exchange, project.mappings)):
        message = "which messages wait or failed is shown by no API"
        yield Finding("D401", Level.INFO, message, f"Look at {QUEUE}.", facts.org.name)
