"""`sfcode relay test` refuses what could harm before it sends anything; tests/relay/e2e/test_serve.py sends an event."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sfcode.cli.relay.trial import _check_org, choose_event
from sfcode.config import load
from sfcode.errors import Refused
from sfcode.org.identity import OrgIdentity
from tests.e2e.journey import Journey
from tests.relay.serving import ROOT

SANDBOX = "https://example--uat.sandbox.my.salesforce.com"
PRODUCTION = "https://example.my.salesforce.com"


def org(url: str, *, sandbox: bool = False, edition: str = "Enterprise Edition") -> SimpleNamespace:
    identity = OrgIdentity("00D", "ann@example.com", "005", url, "Example", sandbox, edition, "63.0")
    return SimpleNamespace(identity=identity)


def test_a_production_org_is_refused_unless_it_is_allowed():
    project = load(ROOT / "config", "local")
    for harmless in (
        org(SANDBOX, sandbox=True),
        org(PRODUCTION, edition="Developer Edition"),
        org("http://127.0.0.1:8080"),
    ):
        _check_org(project, harmless, allow_production=False)
    with pytest.raises(Refused, match="production org"):
        _check_org(project, org(PRODUCTION), allow_production=False)
    _check_org(project, org(PRODUCTION), allow_production=True)


def test_the_event_is_one_that_only_logs_an_activity(tmp_path):
    assert choose_event(load(ROOT / "config", "local")) == "flow_completed"
    journey = Journey.start(tmp_path)
    for name in ("contact", "lead", "account"):
        path = journey.folder / "config" / "mappings" / f"{name}.yaml"
        if path.exists():
            text = path.read_text(encoding="utf-8")
            head, _, rest = text.partition("  activities:\n")
            lines = rest.splitlines(keepends=True)
            while lines and lines[0].startswith("    "):
                lines.pop(0)
            path.write_text(head + "".join(lines), encoding="utf-8")
    with pytest.raises(Refused, match="No mapping logs an activity"):
        choose_event(load(journey.folder / "config", "local"))
