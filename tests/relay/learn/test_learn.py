"""`sfcode relay learn`: webhooks of unknown formats are stored completely, and parsed once their paths are known."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from sfcode.config import Project, load
from sfcode.config.webhook_models import WebhookPaths
from sfcode.relay.appcues_payload import find_events
from sfcode.relay.inbox import Filter, Inbox, open_inbox
from sfcode.relay.ingress.appcues_parser import ParserSettings, messages
from sfcode.relay.learn.capture import CapturedWebhook
from sfcode.relay.learn.paths import propose_paths
from sfcode.relay.message import InboxMessage
from sfcode.relay.salesforce.event_reader import AppcuesEvent, read_event
from tests.e2e.journey import Journey
from tests.relay.ingress.asking import NOW, TOKEN, WEBHOOK, Relay, project, secrets
from tests.relay.ingress.test_fuzz import VALUES, replaced, storable

TIME = "2026-11-23T17:20:00.000Z"


@dataclass(frozen=True)
class Foreign:
    """A body of an unknown format, and its content."""

    body: Any
    people: tuple[str, ...]
    paths: dict[str, list[str]]
    event: str = "appcues:flow_completed"
    aliases: dict[str, Any] | None = None
    group: str | None = None


OTHER_PATHS = Foreign(
    {
        "webhook": {"id": "wh_7", "sent_at": "2026-11-23T17:20:09Z"},
        "event": {
            "type": "appcues:flow_completed",
            "occurredAt": "2026-11-23T17:20:00Z",
            "subject": {"externalId": "1001", "email": "ada@example.com"},
            "company": {"id": "acme"},
            "props": {"flowName": "Welcome"},
        },
    },
    ("1001",),
    {
        "name": ["type"],
        "user_id": ["subject.externalId"],
        "group_id": ["company.id"],
        "timestamp": ["occurredAt"],
        "attributes": ["props"],
    },
    group="acme",
)
NESTED_ARRAYS = Foreign(
    {
        "account": "1",
        "batches": [
            {
                "actor": {"id": 1001},
                "entries": [
                    {
                        "name": "appcues:flow_completed",
                        "ts": 1795454400,
                        "eventId": "e-1",
                        "properties": {"flowName": "Welcome"},
                    },
                    {
                        "name": "appcues:flow_completed",
                        "ts": 1795454400,
                        "eventId": "e-2",
                        "properties": {"flowName": "Welcome"},
                    },
                ],
            },
            {
                "actor": {"id": 1002},
                "entries": [
                    {
                        "name": "appcues:flow_completed",
                        "ts": 1795454400,
                        "eventId": "e-3",
                        "properties": {"flowName": "Welcome"},
                    }
                ],
            },
        ],
    },
    ("1001", "1001", "1002"),
    {
        "events": ["batches.entries"],
        "user_id": ["actor.id"],
        "timestamp": ["ts"],
        "id": ["eventId"],
        "attributes": ["properties"],
    },
)
UNKNOWN_NAMES = Foreign(
    {"Event Name": "Flow Completed", "User Id": "1001", "Timestamp": TIME, "Properties": {"flow_name": "Welcome"}},
    ("1001",),
    {"name": ["Event Name"], "user_id": ["User Id"], "timestamp": ["Timestamp"], "attributes": ["Properties"]},
    event="Flow Completed",
    aliases={"Flow Completed": {"as": "flow_completed", "attributes": {"flowName": "flow_name"}}},
)
WITHOUT_PREFIX = Foreign(
    {"name": "flow_completed", "user_id": "1001", "timestamp": TIME, "attributes": {"flowName": "Welcome"}},
    ("1001",),
    {},
    event="flow_completed",
    aliases={"flow_completed": {"as": "flow_completed", "attributes": {}}},
)
FORMS = pytest.mark.parametrize(
    "foreign", [OTHER_PATHS, NESTED_ARRAYS, UNKNOWN_NAMES], ids=["other paths", "nested arrays", "unknown names"]
)


@pytest.fixture(scope="module")
def contact_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project(tmp_path_factory.mktemp("learn"))


@pytest.fixture
def journey(tmp_path: Path) -> Journey:
    return Journey.start(tmp_path)


@pytest.fixture
def inbox(journey: Journey) -> Iterator[Inbox]:
    with open_inbox(f"sqlite:///{journey.folder / '.sfcode' / 'relay.db'}") as inbox:
        yield inbox


def receive(journey: Journey, inbox: Inbox, body: Any, **more: Any) -> int:
    """Send a webhook to the routes of the project's present config, and store the accepted messages."""
    relay = Relay(load(journey.folder / "config", environment="local"), secrets())
    assert relay.ask(WEBHOOK, json.dumps(body), **more).status == 200
    return inbox.accept(relay.inbox.messages)


def learn(journey: Journey, *words: str) -> dict[str, Any]:
    result = journey.run("--json", "relay", "learn", *words)
    assert result.code == 0, result.out
    return result.json["result"]


def delivered(journey: Journey, inbox: Inbox) -> list[AppcuesEvent]:
    """Return the event of a message as the writer to Salesforce reads it."""
    events = load(journey.folder / "config", environment="local").events
    claim = inbox.claim("appcues", limit=10, per_key=10, lease=60)
    events_read = [read_event(message, events) for message in (claim.messages if claim else ())]
    assert all(isinstance(candidate, AppcuesEvent) for candidate in events_read), events_read
    return [candidate for candidate in events_read if isinstance(candidate, AppcuesEvent)]


def write_down(journey: Journey, learned: dict[str, Any]) -> None:
    """Add the printed proposal to the config."""
    text = journey.run("relay", "learn", "--dry-run").out
    lines = text[text.index("  webhook:") : text.index("\n\n", text.index("  webhook:"))]
    journey.edit("sfcode.yaml", "  account_id: ${appcues_account}", f"  account_id: ${{appcues_account}}\n{lines}")
    if learned["aliases"]:
        lines = text[text.index("aliases:") : text.index("\n\n", text.index("aliases:"))]
        path = journey.folder / "config" / "events.yaml"
        path.write_text(f"{path.read_text()}\n{lines}\n")


@FORMS
def test_a_foreign_form_is_stored_whole_learned_and_replayed(journey: Journey, inbox: Inbox, foreign: Foreign) -> None:
    receive(journey, inbox, foreign.body)
    (row,) = _rows(inbox)
    assert row.state == "parked"
    stored_text = json.dumps([row.payload["received"], row.payload.get("envelope")])
    assert all(json.dumps(value) in stored_text for value in _values(foreign.body))
    learned = learn(journey, "--dry-run")
    assert {key: paths[:1] for key, paths in learned["paths"].items()} == foreign.paths
    assert learned["aliases"] == (foreign.aliases or {})
    expected_lines = [
        {"event": foreign.event, "user_id": user, "group_id": foreign.group, "timestamp": TIME}
        for user in foreign.people
    ]
    assert learned["read"] == expected_lines
    assert learned["messages"] == [{"id": row.id, "reason": row.reason, "becomes": expected_lines}]
    assert _rows(inbox) == [row]
    write_down(journey, learned)
    assert learn(journey, "--auto-approve")["replayed"] == len(foreign.people)
    events = delivered(journey, inbox)
    assert [(event.name, event.user_id, event.value("flowName"), event.stamp[:19]) for event in events] == [
        ("flow_completed", user, "Welcome", TIME[:19]) for user in foreign.people
    ]


@given(VALUES)
def test_any_json_gives_a_valid_proposal(contact_project: Project, value: Any) -> None:
    """The config accepts the proposal, and messages that are parsed with it can be stored."""
    value = replaced(value)
    proposed = propose_paths(CapturedWebhook(value), contact_project)
    paths = WebhookPaths.model_validate(
        WebhookPaths().model_dump() | {key: list(proposed_paths) for key, proposed_paths in proposed.items()}
    )
    storable(messages(list(find_events(value, paths)), ParserSettings(groups=True, paths=paths), "", NOW))


@FORMS
def test_once_it_is_in_the_config_the_next_one_is_read_as_it_arrives(
    journey: Journey, inbox: Inbox, foreign: Foreign
) -> None:
    receive(journey, inbox, foreign.body)
    write_down(journey, learn(journey, "--dry-run"))
    assert journey.run("validate").code == 0
    assert receive(journey, inbox, foreign.body) == len(foreign.people)
    assert [event.user_id for event in delivered(journey, inbox)] == list(foreign.people)
    # The parked messages contain the same events, which are recognized by their IDs and not delivered twice.
    learned = learn(journey, "--auto-approve")
    assert (learned["paths"], learned["replayed"]) == ({}, 0)
    assert inbox.stats().count("parked") == 0


def test_the_usual_format_needs_no_change(journey: Journey, inbox: Inbox) -> None:
    body = {"name": "appcues:nps_score", "attributes": {"score": 9, "_identity": {"userId": "1001"}}, "timestamp": TIME}
    receive(journey, inbox, body)
    learned = learn(journey, "--dry-run")
    assert (learned["paths"], learned["aliases"], learned["messages"]) == ({}, {}, [])
    assert "The config reads this webhook: no path has to be changed." in journey.run("relay", "learn").out


def test_names_without_the_prefix_are_proposed_as_aliases(journey: Journey, inbox: Inbox) -> None:
    receive(journey, inbox, WITHOUT_PREFIX.body)
    learned = learn(journey, "--dry-run")
    assert (learned["paths"], learned["aliases"]) == ({}, WITHOUT_PREFIX.aliases)
    with (journey.folder / "config" / "events.yaml").open("a") as events:
        events.write("\naliases:\n  flow_completed: {as: flow_completed}\n")
    assert journey.run("validate").code == 0
    assert [event_read.name for event_read in delivered(journey, inbox)] == ["flow_completed"]


def test_a_known_user_decides_between_several_ids(journey: Journey, tmp_path: Path) -> None:
    body = {"event": "appcues:flow_completed", "uid": "7", "who": {"ref": "1001"}}
    (tmp_path / "seen.json").write_text(json.dumps(body))
    assert learn(journey, "seen.json")["paths"]["user_id"] == ["uid"]
    assert learn(journey, "seen.json", "--user-id", "1001")["paths"]["user_id"] == ["who.ref"]


def test_a_file_needs_no_inbox_and_creates_none(journey: Journey, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text(json.dumps({"event": "appcues:flow_completed", "uid": "7"}))
    learned = learn(journey, "seen.json", "--auto-approve")
    assert (learned["paths"]["user_id"], learned["messages"], learned["replayed"]) == (["uid"], [], 0)
    assert not (journey.folder / ".sfcode" / "relay.db").exists()


def test_a_replay_needs_an_approval(journey: Journey, inbox: Inbox) -> None:
    receive(journey, inbox, OTHER_PATHS.body)
    result = journey.run("relay", "learn")
    assert result.code == 1
    assert "1 message in the inbox would be read differently:" in result.out
    assert "Not a terminal" in result.err
    assert "--auto-approve" in result.err
    assert [row.state for row in _rows(inbox)] == ["parked"]


def test_events_with_unknown_names_stay_parked(journey: Journey, inbox: Inbox) -> None:
    receive(journey, inbox, UNKNOWN_NAMES.body)
    result = journey.run("relay", "learn", "--auto-approve")
    assert "Nothing was replayed: without the aliases" in result.out
    assert [row.state for row in _rows(inbox)] == ["parked"]


def test_a_message_replayed_in_the_meantime_is_not_replaced(journey: Journey, inbox: Inbox) -> None:
    receive(journey, inbox, OTHER_PATHS.body)
    (row,) = _rows(inbox)
    inbox.replay(Filter(ids=(row.id,)))
    assert inbox.replace(row.id, [_message("other")]) == 0
    assert [entry.id for entry in _rows(inbox)] == [row.id]


class TestHeaders:
    SECRET = TOKEN
    BODY = json.dumps({"name": "appcues:flow_completed", "user_id": "1001", "timestamp": TIME})

    def signed(self, form: str, stamp: str = "1795454400") -> str:
        text = form.format(timestamp=stamp, body=self.BODY)
        return hmac.new(self.SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()

    def exports(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the request in the export formats of request bins."""
        pairs = [{"name": name, "value": value} for name, value in headers.items()]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        har = {"log": {"entries": [{"request": {"headers": pairs, "postData": {"text": self.BODY}}}]}}
        return {
            "bin.json": json.dumps({"headers": headers, "body": self.BODY}),
            "site.json": json.dumps(
                {"headers": {name: [value] for name, value in headers.items()}, "content": self.BODY}
            ),
            "har.json": json.dumps(har),
            "raw.txt": f"POST /x HTTP/1.1\r\n{lines}\r\n{self.BODY}\r\n",
        }

    @pytest.mark.parametrize("form", ["{body}", "{timestamp}.{body}", "v0:{timestamp}:{body}"])
    def test_a_signature_is_found_and_tested_with_the_secret(self, journey: Journey, form: str) -> None:
        journey.environ = {**journey.environ, "SFCODE_RELAY_WEBHOOK_SECRET": self.SECRET}
        headers = {"X-Signature": f"sha256={self.signed(form)}", "X-Timestamp": "1795454400", "Accept": "*/*"}
        for name, text in self.exports(headers).items():
            (journey.folder / name).write_text(text, newline="")
            learned = learn(journey, name)
            expected = {
                "scheme": "hmac",
                "header": "x-signature",
                "algorithm": "sha256",
                "encoding": "hex",
                "prefix": "sha256=",
            }
            if form != "{body}":
                expected |= {"timestamp_header": "x-timestamp", "signed": form}
            assert learned["webhook_auth"]["settings"] == expected, name
            assert learned["webhook_auth"]["note"].startswith("Tested:")
            assert learned["paths"] == {}

    def test_the_proposed_scheme_accepts_the_webhook(self, journey: Journey, inbox: Inbox) -> None:
        stamp = str(int(datetime(2026, 11, 23, 17, 23, tzinfo=UTC).timestamp()))
        headers = {"X-Signature": self.signed("{timestamp}.{body}", stamp), "X-Timestamp": stamp}
        (journey.folder / "seen.json").write_text(json.dumps({"headers": headers, "body": self.BODY}))
        text = journey.run("relay", "learn", "seen.json").out
        lines = text[text.index("  webhook_auth:") : text.index("\n\n", text.index("  webhook_auth:"))]
        journey.edit("sfcode.yaml", "  webhook_auth: {scheme: path}", lines)
        relay = Relay(load(journey.folder / "config", environment="local"), secrets())
        assert relay.ask("/webhooks/appcues", self.BODY, headers=headers).status == 200
        assert relay.ask("/webhooks/appcues", self.BODY).status == 401

    @pytest.mark.parametrize(
        ("headers", "settings"),
        [
            (
                {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,AA"},
                {"scheme": "standard_webhooks"},
            ),
            ({"X-Appcues-Token": "abc"}, {"scheme": "header", "header": "x-appcues-token"}),
            ({"Authorization": "Bearer abc"}, {"scheme": "bearer"}),
            ({"X-Sig-Signature": f"t=1795454400,v1={'ab' * 32}"}, {}),
        ],
    )
    def test_other_schemes_are_recognized(self, journey: Journey, headers: Any, settings: Any) -> None:
        (journey.folder / "seen.json").write_text(json.dumps({"headers": headers, "body": self.BODY}))
        assert learn(journey, "seen.json")["webhook_auth"]["settings"] == settings

    def test_of_headers_only_shapes_are_stored_and_they_suffice_for_a_proposal(
        self, journey: Journey, inbox: Inbox
    ) -> None:
        secret = "t0ps3cr3t" * 3
        headers = {
            "X-Signature": f"sha256={'ab' * 32}",
            "X-Timestamp": "1795454400",
            "X-Key": secret,
            "User-Agent": "x",
        }
        receive(journey, inbox, json.loads(self.BODY), headers=headers)
        (row,) = _rows(inbox)
        assert row.payload["headers"] == {
            "x-signature": "sha256=<64 hex>",
            "x-timestamp": "<10 digits>",
            "x-key": "<27 base64>",
        }
        learned = learn(journey, str(row.id))
        assert learned["webhook_auth"]["settings"]["signed"] == "{timestamp}.{body}"
        assert "not tested" in learned["webhook_auth"]["note"]


def test_a_webhook_goes_into_the_evidence_without_its_values(journey: Journey) -> None:
    (journey.folder / "all.json").write_text(json.dumps({"evidence": 1, "probes": [{"assumption": "U01"}]}))
    headers = {"X-Signature": f"sha256={'ab' * 32}", "Cookie-Id": "s3cr3t", "Host": "relay.example.com"}
    (journey.folder / "seen.json").write_text(json.dumps({"headers": headers, "body": OTHER_PATHS.body}))
    for name in ("all.json", "new.json"):
        learn(journey, "seen.json", "--evidence", name, "--dry-run")
        evidence = json.loads((journey.folder / name).read_text())
        assert evidence["webhook"]["headers"] == {"x-signature": "sha256=<64 hex>", "cookie-id": "<6 characters>"}
        (body,) = evidence["webhook"]["body"]
        assert body["event"]["type"] == "appcues:flow_completed"
        assert body["event"]["subject"] == {"externalId": "<text>", "email": "<email>"}
        assert "ada@example.com" not in json.dumps(evidence)
    assert json.loads((journey.folder / "all.json").read_text())["probes"] == [{"assumption": "U01"}]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[]", b'{"probes": []}', b"[" * 100_000])
def test_a_file_that_is_no_evidence_is_not_overwritten(journey: Journey, content: bytes) -> None:
    (journey.folder / "seen.json").write_text(json.dumps({"headers": {}, "body": OTHER_PATHS.body}))
    (journey.folder / "mine.json").write_bytes(content)
    result = journey.run("relay", "learn", "seen.json", "--evidence", "mine.json", "--dry-run")
    assert (result.code, "mine.json is not a file of `sfcode doctor --probe`." in result.err) == (1, True), result.err
    assert (journey.folder / "mine.json").read_bytes() == content


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("77",), "No message of Appcues has the ID 77."),
        ((), "No message of Appcues is in the inbox."),
        (("note.txt",), "This is not a webhook: the relay would refuse its body (not_json)."),
        (("missing.json",), "missing.json: No such file or directory"),
    ],
)
@pytest.mark.usefixtures("inbox")
def test_a_file_that_is_not_a_webhook_is_refused(journey: Journey, words: tuple[str, ...], message: str) -> None:
    (journey.folder / "note.txt").write_text("hello")
    result = journey.run("relay", "learn", *words)
    assert (result.code, message in result.err) == (1, True), result.err


def test_a_message_of_an_earlier_version_is_read_from_its_text(journey: Journey, inbox: Inbox) -> None:
    inbox.accept([_message("old", payload={"raw": json.dumps(OTHER_PATHS.body["event"])}, parked="no_name", kind="")])
    assert learn(journey, "--auto-approve")["replayed"] == 1


def _rows(inbox: Inbox) -> list[Any]:
    return list(inbox.page(Filter()))


def _message(name: str, **more: Any) -> Any:
    values = {"key": "", "kind": "x", "payload": {}, **more}
    return InboxMessage("appcues", name, **values)


def _values(node: Any) -> list[Any]:
    if isinstance(node, dict | list):
        return [value for child in (node.values() if isinstance(node, dict) else node) for value in _values(child)]
    return [node]
