"""`make demo-relay`: data flows both ways, and an outage heals."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from scripts import demo_relay
from sfcode.relay.server import listen
from tests.waiting import PATIENCE


def test_the_demo_shows_the_round_trip_and_cleans_up(root: Path, tmp_path: Path) -> None:
    before = set(root.rglob(".sfcode"))
    run = subprocess.run(
        [sys.executable, "scripts/demo_relay.py"],
        cwd=root,
        env={**os.environ, "TMPDIR": str(tmp_path), "SFCODE_ORG": "alias:production", "APPCUES_API_KEY": "real"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "profile   role: Chief Customer Officer, plan: team" in run.stdout
    assert "Event     Appcues NPS Score Submitted - 9" in run.stdout
    assert "contact   score 9, feedback 'It just works.'" in run.stdout
    later_output = run.stdout.partition("Appcues goes down")[2]
    assert re.search(r"Salesforce -> Appcues: [12] waiting", later_output)
    assert "profile   role: Founder" in later_output
    assert list(tmp_path.iterdir()) == [], "the demo cleans up after itself"
    assert set(root.rglob(".sfcode")) == before
    relay = re.search(r"relay {5}(http://\S+)", run.stdout)
    assert relay is not None
    with pytest.raises(requests.ConnectionError):
        requests.get(relay[1], timeout=PATIENCE)


def test_the_demo_fails_with_the_logs_when_a_step_fails(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    def fail(folder: Path) -> None:
        (folder / "relay.log").write_text("what the relay said")
        raise demo_relay.Failed("the profile: no result within")

    monkeypatch.setattr(demo_relay, "demo", fail)
    assert demo_relay.main() == 1
    output = capsys.readouterr().out
    assert "the profile: no result within" in output
    assert "what the relay said" in output


def test_a_reserved_port_is_free_for_the_relay_and_for_nobody_who_asks_for_any() -> None:
    with demo_relay.reserve_port() as reserved, contextlib.ExitStack() as stack:
        port = reserved.getsockname()[1]
        ports = [stack.enter_context(listen("127.0.0.1", 0)).getsockname()[1] for _ in range(1000)]
        assert port not in ports
        stack.enter_context(listen("127.0.0.1", port))


def test_a_program_that_does_not_start_is_reported_with_its_error(tmp_path: Path) -> None:
    stage = demo_relay.Stage(tmp_path, dict(os.environ))
    with (
        pytest.raises(demo_relay.Failed, match="did not start:\nconfig: the folder does not exist"),
        stage.running("relay", "serve", "--port", "0", "--json", "relay"),
    ):
        pass


def test_a_wait_returns_the_value_or_fails_with_its_description() -> None:
    assert demo_relay.until("nothing", lambda: 5) == 5
    with pytest.raises(demo_relay.Failed, match="the Event: no result within"):
        demo_relay.until("the Event", lambda: None, patience=0.0)
