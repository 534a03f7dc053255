"""An org with recipes applied, and the relay's writer signed in as the integration user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from sfcode.config import load
from sfcode.local import serve
from tests.e2e.journey import Journey
from tests.local.automation.building import Control
from tests.local.conftest import Rest
from tests.relay.salesforce.world import INTEGRATION, World, _give, signed_in

RESPONSE = "Appcues_NPS_Response__c"


@contextmanager
def with_recipes(folder: Path, recipes: str, *edits: tuple[str, str, str]) -> Iterator[tuple[World, Journey]]:
    """Apply the repository's config with `recipes.yaml`; the administrator can read the created fields."""
    journey = Journey.start(folder / "project")
    for edit in edits:
        journey.edit(*edit)
    (journey.folder / "config" / "recipes.yaml").write_text(f"version: 1\n{recipes}", encoding="utf-8")
    with serve(folder / "org") as local, requests.Session() as session:
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": local.access_token}
        result = journey.run("--org", local.url, "apply", "--auto-approve")
        assert result.code == 0, result.err
        rest = Rest(local, version="63.0", session=session)
        _give(rest, "Appcues_Viewer")
        with signed_in(local, rest, INTEGRATION) as org:
            yield World(load(journey.folder / "config", "local"), local, rest, Control(rest), org), journey
