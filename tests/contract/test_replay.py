"""Recorded requests of real clients, repeated against a new org: its answers still have the same structure."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sfcode.local import LocalOrg, serve
from sfcode.local.store import Store
from tests.contract import recorder
from tests.contract.states import STATES
from tests.waiting import PATIENCE

FOLDER = Path(__file__).with_name("recordings")
SECONDS = 10.0
CLIENTS = {"@salesforce/cli", "@salesforce/source-deploy-retrieve", "cumulusci", "jsforce", "simple-salesforce"}

RECORDINGS = sorted(FOLDER.glob("*.jsonl"))


def _cases() -> list[tuple[Path, str]]:
    """List each test of each recording; tests that share one org are replayed together."""
    loaded = {path: recorder.load(path) for path in RECORDINGS}
    return [(path, name) for path, (header, tests) in loaded.items() for name in ([""] if header["shared"] else tests)]


class Player:
    """Sends recorded requests with the IDs and tokens of the present org."""

    def __init__(self, org: LocalOrg, state: Path) -> None:
        self.org = org
        self.state = state
        self.known = {recorder.SCRUBBED.format(0): org.access_token, recorder.WRONG: recorder.WRONG}
        self.connection = http.client.HTTPConnection(org.url.removeprefix("http://"), timeout=PATIENCE)

    def close(self) -> None:
        self.connection.close()

    def send(self, recorded: Mapping[str, Any]) -> tuple[int, bytes]:
        body = recorder.body_of(recorded, self.org.url)
        if "base64" not in recorded:
            body = self.now(body.decode()).encode()
        headers = {name: self.now(value) for name, value in recorded["headers"].items()}
        self.connection.request(recorded["method"], self.now(recorded["path"]), body or None, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def now(self, text: str) -> str:
        """Replace recorded IDs and tokens by those of this org."""
        text = recorder.TOKEN.sub(lambda match: self.known.get(match[0]) or self.sign_in(match[0]), text)
        return recorder.ID.sub(lambda match: self.known.get(match[0], match[0]), text)

    def sign_in(self, scrubbed: str) -> str:
        """Create a session for a token whose sign-in cannot be repeated."""
        token = f"{self.org.org_id[:15]}!{scrubbed.replace('!', '.')}"
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            tx.sessions.put(token, tx.settings.get("admin_id") or "", now=datetime.now(UTC))
        return self.known.setdefault(scrubbed, token)

    def sign_out(self, recorded: Mapping[str, Any]) -> None:
        """
        End the sessions of a refused request, except the session that the org printed.

        The recording does not contain why these sessions had ended.
        """
        tokens = (self.known.setdefault(name, recorder.WRONG) for name in recorder.TOKEN.findall(json.dumps(recorded)))
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            for token in {*tokens} - {self.org.access_token}:
                tx.sessions.delete(token)

    def learn(self, before: list[str], body: bytes) -> None:
        """Remember which ID of this org corresponds to a recorded ID."""
        self.known |= dict(zip(before, recorder.named(body.decode("utf-8", "replace")), strict=False))

    def play(self, exchange: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a request, and repeat it until its result is available. Return the answer in recorded form."""
        recorded_answer, recorded_request = exchange["answer"], exchange["request"]
        if recorder.is_refusal(recorded_answer):
            self.sign_out(recorded_request)
        deadline = time.monotonic() + SECONDS
        while True:
            status, body = self.send(recorded_request)
            answer = recorder.answer(status, body)
            same = (answer["status"], answer["shape"]) == (recorded_answer["status"], recorded_answer["shape"])
            if same or not recorder.is_read(recorded_request) or time.monotonic() > deadline:
                self.learn(recorded_answer["ids"], body)
                return answer


@pytest.fixture(scope="session")
def create_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that creates the initial org of a recording once, by its name in STATES."""
    folders: dict[str, Path] = {}

    def create(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            STATES[name](folders[name])
        return folders[name]

    return create


def test_there_are_recordings_of_every_client() -> None:
    """Without recordings the other tests would compare nothing."""
    assert {recorder.load(path)[0]["client"]["name"] for path in RECORDINGS} >= CLIENTS


@pytest.mark.parametrize(("path", "test"), _cases(), ids=lambda value: getattr(value, "stem", value))
def test_the_org_answers_as_when_it_was_recorded(path: Path, test: str, create_once, tmp_path: Path) -> None:
    """Every request of a recording gets an answer with the recorded status, keys and elements."""
    header, tests = recorder.load(path)
    (tmp_path / "org.db").write_bytes((create_once(header["state"]) / "org.db").read_bytes())
    with serve(tmp_path) as org, contextlib.closing(Player(org, tmp_path)) as player:
        for exchange in tests[test] if test else itertools.chain(*tests.values()):
            recorded_request, recorded_answer = exchange["request"], exchange["answer"]
            if recorded_request["path"].startswith(recorder.SIGN_IN):
                continue  # recordings contain no signatures and secrets
            answer = player.play(exchange)
            request_text = (
                f"{recorded_request['method']} {recorded_request['path']} {str(recorded_request.get('body', ''))[:300]}"
            )
            assert answer["status"] == recorded_answer["status"], request_text
            assert answer["shape"] == recorded_answer["shape"], request_text


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recordings_hold_no_token(path: Path) -> None:
    """Tokens are removed everywhere, and the header names the origin and the command that records again."""
    scrubbed = recorder.SCRUBBED.format("")
    tokens = set(recorder.TOKEN.findall(path.read_text(encoding="utf-8")))
    assert {token for token in tokens if not token.startswith(scrubbed)} == set()
    header, tests = recorder.load(path)
    assert header["recorded_against"]["again"] == "make record"
    assert header["client"]
    assert all(tests.values())


def test_a_different_answer_is_detected() -> None:
    """The comparison distinguishes keys, types of values and significant values, but not IDs and times."""
    before = json.dumps([{"id": "003Lc0000000001AAA", "success": True, "errors": []}]).encode()
    assert recorder.shape(before) == recorder.shape(before.replace(b"0001AAA", b"0002AAA"))
    assert recorder.shape(before) != recorder.shape(before.replace(b"true", b"false"))
    assert recorder.shape(before) != recorder.shape(before.replace(b'"errors"', b'"faults"'))
    assert recorder.shape(b"<a><done>true</done></a>") != recorder.shape(b"<a><done>false</done></a>")
    assert recorder.shape(b"<a><t>1</t></a>") == recorder.shape(b'<x:a xmlns:x="u"><x:t>2</x:t></x:a>')
    assert recorder.named(quote("003Lc0000000001AAA")) == ["003Lc0000000001AAA"]
