"""Check the relay's URL, and the outbound messages that wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sfcode.checks.doctor.facts import Endpoint, Facts, Unknown
from sfcode.checks.rules import report
from sfcode.config.project import Project
from sfcode.config.relay_config import digest_relay_config, render_relay_config
from sfcode.diagnostics import Diagnostic, Level
from sfcode.hosts import is_loopback
from sfcode.plan.ownership import is_connectors

TROUBLE = {
    "connection": (
        "D403",
        "Start the relay, and check that it can be reached: URL, DNS, firewall.",
    ),
    "certificate": (
        "D404",
        (
            "Check its name, its dates and that every intermediate certificate is sent, in order: openssl s_client "
            "-showcerts. Salesforce trusts the roots that /cacerts.jsp of your org lists, and no self-signed certificate."
        ),
    ),
    "health": ("D405", "See the relay's log and /readyz; a proxy in front of it may have responded."),
}

QUEUE = "Setup > Outbound Messages > View Message Delivery Status"


def check(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Check the connection from Salesforce to the relay."""
    if facts.endpoint is None:
        return
    place, endpoint = project.place("relay", "url"), facts.endpoint
    url = endpoint.url
    is_local = is_loopback(urlsplit(url).hostname or "")
    if endpoint.out_of_reach:
        message = f"Salesforce cannot reach {url}: it is an address of {endpoint.out_of_reach}"
        yield report("D402", place, message, "Give the relay a public https address, and apply.", level=Level.ERROR)
    elif is_local:
        yield report(
            "D402", place, f"{url} is an address of this machine: only the local org can reach it", level=Level.NOTE
        )
    else:
        yield report("D402", place, f"{url} is a public address", level=Level.OK)
    if endpoint.trouble is not None:
        id, hint = TROUBLE[endpoint.trouble.kind]
        message = f"the relay does not answer from here: {endpoint.trouble.reason}"
        yield report(id, place, message, hint, level=Level.NOTE if is_local else Level.WARNING)
    elif not endpoint.out_of_reach:
        yield report("D405", place, f"{url} answers from here", level=Level.OK)
        yield from _check_config(project, endpoint)
    yield from _check_carriers(project, facts)
    if any(mapping.sends and mapping.by_relay for mapping in project.resolved):
        message = "no API shows which messages wait or failed"
        yield report("D401", facts.org.name, message, f"See {QUEUE}.", level=Level.NOTE)


def _check_config(project: Project, endpoint: Endpoint) -> Iterator[Diagnostic]:
    """Compare the relay's config with the project's."""
    digest = digest_relay_config(render_relay_config(project))
    if endpoint.config in ("", digest):
        if endpoint.config:
            yield report("D407", project.place("relay"), f"the relay uses this config ({digest})", level=Level.OK)
        return
    message = f"the relay uses config {endpoint.config}, and this project has {digest}"
    hint = "Copy this project's files to the relay, which reloads them, or check out the version that the relay has."
    yield report("D407", project.place("relay"), message, hint)


def _check_carriers(project: Project, facts: Facts) -> Iterator[Diagnostic]:
    """Find messages of Appcues' own connector for objects of the relay."""
    if isinstance(facts.messages, Unknown):
        message = f"could not check for Appcues' own connector ({facts.messages.reason})"
        yield report("D406", facts.org.name, message, level=Level.NOTE)
        return
    for mapping in project.resolved:
        names = sorted(name for name in facts.messages if mapping.by_relay and is_connectors(name, mapping.object))
        if names:
            message = f"Appcues' own connector is connected to this org too: {', '.join(names)}; data that both deliver arrives twice"
            hint = "Deactivate its integration in Appcues Studio, and list its message and rule under `replaces`."
            yield report("D406", mapping.place("delivery"), message, hint, level=Level.WARNING)
