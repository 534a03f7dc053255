"""The parts of a relay process share one budget and one set of pauses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sfcode.relay import main
from sfcode.relay.appcues import FieldTypeCache
from tests.relay.serving import ROOT, IdentityOrg, Relay, Served
from tests.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a config with a schedule."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    settings = (folder / "sfcode.yaml").read_text(encoding="utf-8")
    scheduled = "\nrelay:\n  schedule: {refresh_hours: 6}\n"
    (folder / "sfcode.yaml").write_text(settings.replace("\nrelay:\n", scheduled, 1), encoding="utf-8")
    return folder


def test_all_writers_of_a_process_share_its_budget_and_pauses(sqlite_url: str) -> None:
    def script(served: Served) -> None:
        service = served.service
        to_salesforce = main._to_salesforce(service, service.config, IdentityOrg())  # type: ignore[arg-type]
        assert to_salesforce.budget is service.api_budget  # type: ignore[attr-defined]
        assert to_salesforce.pauses is service.pauses  # type: ignore[attr-defined]
        types = FieldTypeCache(service.config.project, service.inbox)
        to_appcues = main._to_appcues(service, service.config, types)
        assert to_appcues._pauses is service.pauses  # type: ignore[attr-defined]

    Relay(sqlite_url).serve(script)


def test_nothing_is_scheduled_while_the_budget_is_used_up(sqlite_url: str, folder: Path) -> None:
    def script(served: Served) -> None:
        service = served.service
        until(service._scheduled_jobs)
        service.api_budget.limit = lambda: 0
        assert service._scheduled_jobs() == ()

    Relay(sqlite_url).serve(script, folder)
