"""Send the probes and some requests that change nothing to an org, and record its responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sfcode import __version__
from sfcode.errors import OrgError, OrgUnreachable, SignInError
from sfcode.evidence.probes import PROBES, NothingToAsk, Probe, Refuted
from sfcode.evidence.redact import redact_body, scrub
from sfcode.lazy_dataclasses import asdict, dataclass
from sfcode.org import Org

if TYPE_CHECKING:
    from requests.models import Response

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe: `confirmed`, `refuted` or `not_asked`, and the org's response."""

    assumption: str
    question: str
    result: str
    answer: str


@dataclass(frozen=True, slots=True)
class HarmlessRequest:
    """A request that changes nothing and shows how an org responds."""

    name: str
    area: str
    path: str
    """The path below `/services/data/vX.0`."""
    body: Any = None


def _query(soql: str) -> str:
    return f"/query?q={quote(soql, safe='')}"


HARMLESS = (
    HarmlessRequest("limits", "resources", "/limits"),
    HarmlessRequest("resource that does not exist", "resources", "/no_such_resource"),
    HarmlessRequest("describe of an object", "describe", "/sobjects/Contact/describe"),
    HarmlessRequest("describe of an object that does not exist", "describe", "/sobjects/Sfcode_None__c/describe"),
    HarmlessRequest("record that does not exist", "records", "/sobjects/Contact/003000000000000AAA"),
    HarmlessRequest("record by an ID that is none", "records", "/sobjects/Contact/sfcode"),
    HarmlessRequest("query without FROM", "query", _query("SELECT Id")),
    HarmlessRequest("query of a field that does not exist", "query", _query("SELECT Sfcode_None__c FROM Contact")),
    HarmlessRequest("query of an object that does not exist", "query", _query("SELECT Id FROM Sfcode_None__c")),
    HarmlessRequest("query that compares an ID with a text", "query", _query("SELECT Id FROM Contact WHERE Id = 'x'")),
    HarmlessRequest(
        "composite with a part that fails",
        "composite",
        "/composite",
        {
            "compositeRequest": [
                {"method": "GET", "url": "/services/data/v{version}/sobjects/Sfcode_None__c", "referenceId": "a"},
                {"method": "GET", "url": "/services/data/v{version}/sobjects/@{a.name}", "referenceId": "b"},
            ]
        },
    ),
)


def record_evidence(org: Org, now: datetime, report: Callable[[str], None]) -> dict[str, Any]:
    """
    Run all probes and requests, and return the redacted responses.

    Raises:
        OrgUnreachable, SignInError: The org does not respond, or the session has ended.

    """
    traits = org.read_traits()
    exchanges: list[dict[str, Any]] = []
    for request in HARMLESS:
        report(request.name)
        exchanges.append(_send(org, request))
    results = []
    for probe in PROBES:
        report(f"{probe.assumption}: {probe.question}")
        results.append(asdict(run_probe(org, probe)))
    return {
        "evidence": FORMAT,
        "sfcode": __version__,
        "date": f"{now:%Y-%m-%d}",
        "org": {
            "edition": traits.edition,
            "sandbox": org.identity.sandbox,
            "language": traits.language,
            "features": sorted(traits.features),
            "api_version": org.api_version,
        },
        "probes": results,
        "exchanges": exchanges,
    }


def run_probe(org: Org, probe: Probe) -> ProbeResult:
    """Run one probe."""
    try:
        result, answer = "confirmed", probe.ask(org)
    except Refuted as error:
        result, answer = "refuted", str(error)
    except NothingToAsk as error:
        result, answer = "not_asked", str(error)
    except (SignInError, OrgUnreachable):
        raise
    except OrgError as error:
        # A request that the signed-in user may not send neither confirms nor refutes the assumption.
        result, answer = "not_asked", str(error)
    return ProbeResult(probe.assumption, probe.question, result, scrub(answer))


def format_results(results: Iterable[dict[str, Any]]) -> str:
    """Return one line for each probe."""
    return "\n".join(f"{outcome['assumption']}  {outcome['result']:9}  {outcome['question']}" for outcome in results)


def _send(org: Org, request: HarmlessRequest) -> dict[str, Any]:
    base = f"/services/data/v{org.api_version}"
    body = json.loads(json.dumps(request.body).replace("{version}", org.api_version))
    response: Response = org.rest.session.request(
        "GET" if body is None else "POST", f"{org.instance_url}{base}{request.path}", json=body
    )
    head = {"method": response.request.method, "path": request.path}
    return {
        "name": request.name,
        "area": request.area,
        "request": {**head, **({"body": request.body} if request.body else {})},
        "answer": {"status": response.status_code, "body": redact_body(response.content)},
    }
