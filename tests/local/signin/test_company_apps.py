"""Apps that are defined in a company file."""

from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path

import pytest
import requests

from sfcode.errors import ConfigError
from sfcode.local import load, serve
from tests.local.conftest import HandClock
from tests.waiting import PATIENCE

APPS = """
apps:
  - name: Relay
    consumer_key: relay
    consumer_secret: not-a-secret
    run_as: {user}
    session_minutes: {minutes}
"""


def company(folder: Path, user: str = "admin@northwind.example", minutes: object = 30) -> Path:
    text = (files("sfcode.local.seed") / "northwind.yaml").read_text(encoding="utf-8")
    path = folder / "company.yaml"
    path.write_text(text + APPS.format(user=user, minutes=minutes), encoding="utf-8")
    return path


def test_an_app_of_the_file_signs_in(tmp_path: Path) -> None:
    load(tmp_path / "state", company(tmp_path), rng=random.Random(1))
    clock = HandClock()
    with serve(tmp_path / "state", clock=clock) as org:
        form = {"grant_type": "client_credentials", "client_id": "relay", "client_secret": "not-a-secret"}
        token = requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=PATIENCE).json()["access_token"]
        url, headers = f"{org.url}/services/oauth2/userinfo", {"Authorization": f"Bearer {token}"}
        assert requests.get(url, headers=headers, timeout=PATIENCE).json()["preferred_username"] == org.username
        clock.wait(minutes=31)
        assert requests.get(url, headers=headers, timeout=PATIENCE).status_code == 403


def test_loading_another_company_removes_the_apps_and_their_tokens(tmp_path: Path) -> None:
    state = tmp_path / "state"
    load(state, company(tmp_path), rng=random.Random(1))
    load(state, None)
    with serve(state) as org:
        form = {"grant_type": "client_credentials", "client_id": "relay", "client_secret": "not-a-secret"}
        answer = requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=PATIENCE)
    assert answer.json()["error"] == "invalid_client_id"


@pytest.mark.parametrize(
    ("user", "minutes", "text"),
    [
        ("nobody@northwind.example", 30, "apps[0].run_as: there is no user nobody@northwind.example"),
        ("admin@northwind.example", "long", "apps[0].session_minutes: this must be a number of minutes"),
    ],
)
def test_problems_of_an_app_are_reported_at_their_position(
    tmp_path: Path, user: str, minutes: object, text: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "state", company(tmp_path, user, minutes), rng=random.Random(1))
    (problem,) = error.value.problems
    assert text in str(problem)
    assert problem.position is not None
    assert problem.position.line > 100
