"""One or several real relay processes between a local org and a local Appcues."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import re
import shutil
import signal
import threading
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest
import requests

from sfcode.relay.alarms import Alarm
from sfcode.relay.inbox import Filter, open_inbox
from sfcode.relay.message import InboxMessage
from sfcode.relay.result_types import RESULTS
from tests.e2e.journey import Journey
from tests.e2e.org import show_fields
from tests.json_output import check_relay_result
from tests.programs import Program
from tests.relay.e2e import traffic
from tests.relay.e2e.sender import Sender, send_all
from tests.relay.e2e.traffic import Post
from tests.relay.e2e.world import WEBHOOK, Relay, World, world
from tests.waiting import PATIENCE, free_port, until

FOREVER = 10**6
STEPS = 15


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with world(folder, f"sqlite:///{folder / 'never.db'}") as around:
        show_fields(around.far)
        yield around


@pytest.fixture
def around(shared: World, sqlite_url: str) -> Iterator[World]:
    """Return the world with a new inbox."""
    shared.environ["SFCODE_RELAY_DATABASE_URL"] = shared.database = sqlite_url
    yield shared
    shared.far.remove_faults()
    for relay in shared.relays:
        relay.kill()


def people(around: World, first: int, count: int) -> dict[str, str]:
    return around.contacts([str(first + number) for number in range(count)])


def hook(around: World, user: str, name: str, **attributes: object) -> Post:
    event = {"name": name, "user_id": user, "timestamp": "2026-06-01T08:00:00Z", "attributes": attributes}
    return Post(around.webhook_path, json.dumps(event).encode(), 1, soap=False)


def change(around: World, user: str, contact: str, number: int, **values: str) -> Post:
    fields = {
        "Id": contact,
        "Appcues_User_Id__c": user,
        "SystemModstamp": f"2026-06-01T08:{number:02}:00.000Z",
        **values,
    }
    text = "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in sorted(fields.items()))
    notification = traffic.NOTIFICATION.format(id=f"04l{uuid.uuid4().hex[:15]}", fields=text)
    body = traffic.ENVELOPE.format(org=around.far.org_id, notifications=notification)
    return Post(around.outbound_path, body.encode(), 1, soap=True)


def start_trial(around: World, relay: Relay, user: str, **environ: str) -> Program:
    """Start `sfcode relay test` for a user."""
    words = ["--env", "local", "--org", around.far.url, "relay", "test", "--url", relay.url, "--user", user]
    environ = {**os.environ, **around.environ, "SF_ACCESS_TOKEN": around.far.access_token, **environ}
    return Program(words, cwd=around.folder, env=environ, stdout=PIPE, stderr=PIPE)


def settled(around: World, count: int) -> None:
    with around.inbox() as inbox:
        until(lambda: inbox.stats().count("done") == count, f"{count} messages done")


def test_a_score_and_a_change_make_the_round_trip(around):
    ((user, contact),) = people(around, 610_000, 1).items()
    relay = around.ready()
    send_all(
        [relay.port], [hook(around, user, "appcues:nps_score", score=9), change(around, user, contact, 1, Title="CTO")]
    )
    settled(around, 2)
    (row,) = around.far.rows(f"SELECT Appcues_NPS_Score__c FROM Contact WHERE Id = '{contact}'")
    assert row["Appcues_NPS_Score__c"] == 9
    assert len(around.far.rows(f"SELECT Id FROM Event WHERE WhoId = '{contact}'")) == 1
    assert around.far.profiles()[user]["role"] == "CTO"
    assert 'delivered_total{source="appcues"} 1.0' in relay.get("/metrics").text
    relay.terminate()
    relay.ended()
    for secret in ("s3cr3t-outbound", "webhook-secret", "local-appcues-secret", user):
        assert secret not in relay.text(), "neither secrets nor people are logged"


def test_a_test_event_is_delivered_and_removed(around):
    ((user, contact),) = people(around, 615_000, 1).items()
    relay = around.ready()

    def run(user: str, **environ: str) -> tuple[int, str, str]:
        program = start_trial(around, relay, user, **environ)
        out, err = program.communicate(timeout=PATIENCE)
        return program.returncode, out, err

    code, out, err = run(user)
    assert (code, out.splitlines()[-1:]) == (0, ["The relay works."]), err
    with around.inbox() as inbox:
        (entry,) = inbox.page(Filter(subject=f"user:{user}"))
        stored = inbox.find(entry.id)
    (event_id, key) = stored.records
    assert (entry.state, event_id[:3], key) == ("done", "00U", f"{entry.message_id}:contact:flow_completed")
    assert f"Found and removed Event {event_id}." in out
    assert around.far.rows(f"SELECT Id FROM Event WHERE WhoId = '{contact}'") == []
    code, out, err = run("nobody")
    assert code == 1
    assert "The event wrote no activity." in err
    assert "Enter the user ID on the contact or lead" in err
    with around.inbox() as inbox:
        (entry,) = inbox.page(Filter(subject="user:nobody"))
    assert (entry.state, entry.reason) == ("done", "discarded"), "nothing made up is delivered later"
    code, out, err = run(user, SFCODE_RELAY_WEBHOOK_SECRET="another-secret-0123456789")
    assert (code, "refused the event: 401" in err) == (1, True)


def test_a_made_up_event_whose_test_is_interrupted_is_not_delivered_later(around):
    ((user, contact),) = people(around, 616_000, 1).items()
    relay = around.ready()
    around.far.arm(kind="unavailable", times=FOREVER, path="/services/data/*/composite/sobjects*")
    program = start_trial(around, relay, user)
    assert "the relay answered 200" in program.stdout.readline()
    os.kill(program.pid, signal.SIGINT)
    program.communicate(timeout=PATIENCE)
    assert program.returncode == 130
    with around.inbox() as inbox:
        (entry,) = inbox.page(Filter(subject=f"user:{user}"))
    assert (entry.state, entry.reason) == ("done", "discarded")
    assert around.far.rows(f"SELECT Id FROM Event WHERE WhoId = '{contact}'") == []


RESULT_OF = {
    "status": (),
    "list": (),
    "show": ("{message}",),
    "explain": ("{message}",),
    "learn": ("{file}", "--dry-run"),
    "replay": ("--reason", "unknown_user", "--yes"),
    "discard": ("--reason", "odd", "--yes"),
    "test": ("--user", "{user}", "--url", "{relay}"),
    "ack": ("salesforce_locked",),
    "audit": (),
    "notify": (),
    "token": ("create", "ada"),
    "load": ("{answers}",),
    "reconcile": ("--since", "7d"),
    "refresh": ("contact",),
    "backfill": ("contact",),
    "pause": ("contact",),
    "resume": ("contact",),
    "export": ("{user}",),
    "forget": ("{user}",),
}
"""For each verb of the relay that has a result with --json, arguments with which this result is not empty."""


def test_every_verb_prints_the_result_that_its_schema_describes(around, tmp_path):
    assert {*RESULT_OF, "tail"} == RESULTS.keys(), "a new verb needs its words here"
    ((user, _contact),) = people(around, 617_000, 1).items()
    relay = around.ready()
    flow = hook(around, user, "appcues:flow_completed", flowName="Tour")
    send_all([relay.port], [flow, hook(around, "nobody", "appcues:flow_completed", flowName="Tour")])
    with around.inbox() as inbox:
        odd = [InboxMessage("salesforce", f"odd{number}", "user:9", "contact", {}, parked="odd") for number in range(9)]
        inbox.accept(odd)
        inbox.raise_alarms([Alarm("salesforce_locked", "", "2026-06-01T08:00:00Z")])
        (entry,) = until(lambda: inbox.page(Filter(subject=f"user:{user}", state="done")))
        until(lambda: inbox.count(Filter(reason="unknown_user")).number)
    shutil.copytree(around.folder / "config", tmp_path / "config")
    (tmp_path / "config" / "recipes.yaml").write_text("version: 1\nnps_history: {}\n", encoding="utf-8")
    journey = Journey(
        tmp_path, {**around.environ, "SF_ACCESS_TOKEN": around.far.access_token, "SLACK": "http://127.0.0.1:1"}
    )
    journey.edit("sfcode.yaml", "\nrelay:\n", "\nrelay:\n  notify: [{form: slack, url_variable: SLACK}]\n")
    answers, file = tmp_path / "answers.csv", tmp_path / "webhook.json"
    answers.write_text(f"user_id,time,score\n{user},2025-03-01T09:30:00Z,9\n", encoding="utf-8")
    file.write_bytes(flow.body)
    places = {"message": entry.id, "user": user, "relay": relay.url, "answers": answers, "file": file}
    for verb, words in RESULT_OF.items():
        rest = (word.format_map(places) for word in words)
        printed = journey.run("--json", "--quiet", "--env", "local", "--org", around.far.url, "relay", verb, *rest)
        assert printed.code == 0, printed.out
        assert printed.json["result"], verb  # other tests check the results


def test_tail_prints_lines_that_its_schema_describes(around):
    with around.inbox() as inbox:
        words = ["--json", "--env", "local", "relay", "tail"]
        program = Program(words, cwd=around.folder, env={**os.environ, **around.environ}, stdout=PIPE, stderr=PIPE)
        has_printed = threading.Event()

        def receive() -> None:
            """Receive messages until the program has printed one, since it ignores messages from before its start."""
            for number in itertools.count():
                inbox.accept([InboxMessage("salesforce", f"t{number}", "user:9", "contact", {}, parked="odd")])
                if has_printed.wait(0.05):
                    return

        receiving = threading.Thread(target=receive)
        receiving.start()
        line = program.stdout.readline()
        has_printed.set()
        receiving.join()
    os.kill(program.pid, signal.SIGINT)
    _, err = program.communicate(timeout=PATIENCE)
    assert program.returncode == 0, err
    check_relay_result("tail", json.loads(line))


def test_a_rename_while_running_loses_nothing_and_reaches_the_profiles(around):
    contacts = people(around, 640_000, 20)
    relay = around.ready()
    mapping = around.folder / "config" / "mappings" / "contact.yaml"
    text = mapping.read_text(encoding="utf-8")

    def posts(number: int, title: str) -> list[Post]:
        return [change(around, user, contact, number, Title=title) for user, contact in contacts.items()]

    digest = relay.get("/healthz").text
    try:
        sending = threading.Thread(target=send_all, args=([relay.port], posts(1, "Engineer"), posts(2, "Lead")))
        sending.start()
        mapping.write_text(text.replace("    role: Title", "    job: Title"), encoding="utf-8")
        os.kill(relay.pid, signal.SIGHUP)
        until(lambda: relay.get("/healthz").text != digest, "another config")
        sending.join()
        send_all([relay.port], posts(3, "CTO"))
        settled(around, 60)
        profiles = around.far.profiles()
        assert {profiles[user]["job"] for user in contacts} == {"CTO"}
        assert all(profiles[user].get("role") != "CTO" for user in contacts)

        renamed = relay.get("/healthz").text
        mapping.write_text(text.replace("object: Contact", "objekt: Contact"), encoding="utf-8")
        os.kill(relay.pid, signal.SIGHUP)
        until(lambda: relay.get("/readyz").json()["notes"], "a refused config")
        assert "contact.yaml" in relay.get("/readyz").json()["notes"][0]
        assert relay.get("/healthz").text == renamed
    finally:
        mapping.write_text(text, encoding="utf-8")


def test_stops_under_load_lose_nothing_and_repeat_nothing(around):
    expected = traffic.Expected()
    rng = random.Random(7)
    contacts = people(around, traffic.FIRST_USER, 60)
    posts = traffic.webhooks(rng, 800, list(contacts), around.webhook_path, expected)
    more = traffic.outbound(rng, 800, contacts, expected, org=around.far.org_id, path=around.outbound_path)
    port = free_port()
    stopped: list[Relay] = []

    async def stops() -> None:
        for _ in range(4):
            relay = around.relay(port)
            await asyncio.to_thread(until, lambda relay=relay: relay.answers("/readyz"), "readiness")
            await asyncio.sleep(0.4)
            relay.terminate()
            await asyncio.to_thread(relay.ended)
            stopped.append(relay)
        around.relay(port)

    async def storm() -> None:
        sender = Sender([port], random.Random(3), twice=0.0)
        await asyncio.gather(
            stops(), sender.send(posts, lanes=4, per_second=300), sender.send(more, lanes=4, per_second=300)
        )

    asyncio.run(storm())
    settled(around, 1600)
    with around.inbox() as inbox:
        entries = inbox.page(Filter(), 2000)
    assert {entry.attempts for entry in entries} == {1}
    assert all('"stopped"' in relay.text() for relay in stopped)
    owners = set(contacts.values())
    activities = [row for row in around.far.rows("SELECT WhoId FROM Event") if row["WhoId"] in owners]
    assert len(activities) == expected.events


def test_messages_of_one_user_arrive_in_order_with_three_processes(around, postgres_url):
    around.environ["SFCODE_RELAY_DATABASE_URL"] = around.database = postgres_url
    contacts = people(around, 620_000, 8)
    for fault in ({"kind": "unavailable", "probability": 0.06}, {"kind": "drop_after", "probability": 0.06}):
        around.far.arm(**fault, seed=5, path="/services/data/*")
        around.far.arm_appcues(**fault, seed=6)
    ports = [around.ready().port for _ in range(3)]
    lanes = [
        [hook(around, user, "appcues:flow_completed", flowName=f"step-{number:02}") for number in range(STEPS)]
        for user in contacts
    ] + [
        [change(around, user, contact, number, Title=f"role-{number:02}") for number in range(STEPS)]
        for user, contact in contacts.items()
    ]
    send_all(ports, *lanes)
    settled(around, 2 * STEPS * len(contacts))
    around.far.remove_faults()
    for contact in contacts.values():
        rows = around.far.rows(f"SELECT Id, Description FROM Event WHERE WhoId = '{contact}'")
        # Sorted in the order of creation by case-sensitive IDs; SOQL ignores case.
        steps = [re.findall(r"step-\d\d", row["Description"])[0] for row in sorted(rows, key=lambda row: row["Id"])]
        assert steps == [f"step-{number:02}" for number in range(STEPS)]
    roles_by_path: dict[str, list[str]] = {}
    for call in around.far.calls():
        if call["status"] == 200 and (body := call["body"]) and "role-" in str(body):
            roles_by_path.setdefault(call["path"], []).append(re.findall(r"role-\d\d", str(body))[0])
    assert len(roles_by_path) == len(contacts)
    for roles in roles_by_path.values():
        assert all(earlier <= later for earlier, later in pairwise(roles)), roles
        assert roles[-1] == f"role-{STEPS - 1:02}"


def test_it_starts_without_salesforce_and_catches_up(around):
    ((user, contact),) = people(around, 630_000, 1).items()
    around.far.arm(kind="unavailable", times=FOREVER)
    relay = around.relay()
    until(relay.answers, "an answer")
    until(lambda: relay.get("/readyz").status_code == 503, "no readiness")
    send_all([relay.port], [hook(around, user, "appcues:nps_score", score=3)])
    assert "organization ID" in relay.get("/readyz").text
    around.far.remove_faults()
    settled(around, 1)
    assert (
        around.far.rows(f"SELECT Appcues_NPS_Score__c FROM Contact WHERE Id = '{contact}'")[0]["Appcues_NPS_Score__c"]
        == 3
    )
    until(lambda: relay.answers("/readyz"), "readiness")


def test_it_starts_without_appcues_and_catches_up(around):
    ((user, contact),) = people(around, 640_000, 1).items()
    around.far.arm_appcues(kind="unavailable", times=FOREVER)
    relay = around.ready()
    send_all([relay.port], [change(around, user, contact, number, Title=f"T{number}") for number in range(5)])
    until(lambda: 'outcome="503"' in relay.get("/metrics").text, "a call that failed")
    around.far.remove_faults()
    settled(around, 5)
    assert around.far.profiles()[user]["role"] == "T4"


def test_serve_without_its_database_is_refused(around):
    relay = around.relay(SFCODE_RELAY_DATABASE_URL=f"postgresql://relay:p4ssw0rd@127.0.0.1:{free_port()}/relay")
    relay.ended()
    assert "cannot be used as the relay's database" in relay.text()
    assert "Traceback" not in relay.text()
    assert "p4ssw0rd" not in relay.text()


def test_the_relay_survives_an_unavailable_database(around, postgres_server):
    name = f"sfcode_{uuid.uuid4().hex}"
    (user,) = people(around, 650_000, 1)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            around.environ["SFCODE_RELAY_DATABASE_URL"] = around.database = database_at(postgres_server, name)
            relay = around.ready()
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            until(lambda: relay.get("/readyz").status_code == 503, "no readiness")
            post = hook(around, user, "appcues:nps_score", score=5)
            refused = requests.post(
                relay.url + post.path, data=post.body, headers={"Content-Type": "application/json"}, timeout=PATIENCE
            )
            assert refused.status_code == 503
            assert relay.answers("/healthz")
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            send_all([relay.port], [post])
            settled(around, 1)
            until(lambda: relay.answers("/readyz"), "readiness")
            relay.terminate()
            relay.ended()
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def database_at(url: str, name: str) -> str:
    path, question, query = url.partition("?")
    return f"{path.rpartition('/')[0]}/{name}{question}{query}"


def test_with_org_local_it_serves_the_local_org_and_the_local_appcues(tmp_path: Path):
    journey = Journey.start(tmp_path)
    journey.environ = {**journey.environ, "SFCODE_RELAY_WEBHOOK_SECRET": WEBHOOK}
    assert journey.apply().code == 0
    process = journey.spawn("relay", "serve", "--port", "0", "--admin-port", "0", "--json")
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "admin_url", "pid", "org_url", "access_token", "org_id", "username", "appcues_url"}
        assert ready["pid"] == process.pid
        relay = Relay(process.pid, int(ready["url"].rpartition(":")[2]), tmp_path / "none")
        until(lambda: relay.answers("/readyz"), "readiness")
        assert requests.get(f"{ready['admin_url']}/metrics", timeout=PATIENCE).status_code == 200
        assert not relay.answers("/metrics")
        event = {"name": "appcues:nps_score", "user_id": "10001", "score": 9}
        assert (
            requests.post(f"{ready['url']}/webhooks/appcues/{WEBHOOK}", json=event, timeout=PATIENCE).status_code == 200
        )
        with open_inbox(f"sqlite:///{tmp_path / '.sfcode' / 'relay.db'}") as inbox:
            # The relay can read the created fields, since it signs in as the integration user.
            until(lambda: inbox.stats().count("done") == 1, "delivery")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert out == ""
        assert (tmp_path / ".sfcode" / "relay.db").exists()
    finally:
        process.kill()
        process.communicate()


def test_a_second_signal_stops_the_relay_at_once_without_losses(around):
    (user,) = people(around, 660_000, 1)
    relay = around.ready()
    around.far.arm(kind="latency", seconds=30.0, times=FOREVER, path="/services/data/*")
    send_all([relay.port], [hook(around, user, "appcues:nps_score", score=8)])
    with around.inbox() as inbox:
        until(lambda: inbox.stats().count("leased") == 1, "a delivery on its way")
        relay.terminate()
        until(lambda: '"stopping"' in relay.text(), "a stop that has begun")
        assert relay.runs, "it waits for what is on its way"
        relay.terminate()
        relay.ended()
        assert "stopped_at_once" in relay.text()
        assert inbox.stats().count("leased") == 1, "whoever comes next takes it up when the lease ends"
