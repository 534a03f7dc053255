"""The server delivers messages, and after a restart also those that a killed server did not deliver."""

from __future__ import annotations

import json
import random
import shutil
import signal
import ssl
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from sfcode.local import LocalOrg, serve
from sfcode.local.automation.post import Poster, Undelivered
from tests.local.automation.building import Control, deploy, flow, message
from tests.local.automation.receiver import ACK
from tests.local.conftest import Rest
from tests.programs import Program
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]
FIELDS = ["Id", "LastName"]


@contextmanager
def program(state: Path, *words: str):
    """Run `sfcode local serve` in a separate process."""
    line = ("local", "serve", "--port", "0", "--json", "--state", str(state), *words)
    process = Program(line, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        rest = Rest(LocalOrg(ready["url"], ready["access_token"], ready["org_id"], ready["username"]))
        with rest.session:
            yield process, rest
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_server_delivers_messages(state, receiver, clock):
    with serve(state, clock=clock, rng=random.Random(2), deliver=True) as org:
        deploy(org, message(receiver.url, FIELDS), flow({}))
        rest = Rest(org)
        with rest.session:
            rest.create("Contact", LastName="Noticed")
            (post,) = receiver.wait_for(1)
            until(lambda: not Control(rest).queue)
    assert post.records[0]["LastName"] == "Noticed"


def test_without_deliveries_no_message_is_sent(state, receiver, clock):
    with serve(state, clock=clock, rng=random.Random(2)) as org:
        deploy(org, message(receiver.url, FIELDS), flow({}))
        rest = Rest(org)
        with rest.session:
            rest.create("Contact", LastName="Kept")
            assert len(Control(rest).queue) == 1
    assert receiver.take() == []


def test_a_server_that_is_killed_between_commit_and_delivery_loses_nothing(state, receiver):
    release = threading.Event()

    def hang(_number: int) -> tuple[int, bytes]:
        release.wait(PATIENCE)
        return 200, ACK

    receiver.answer = hang
    with program(state) as (process, rest):
        deploy(rest.org, message(receiver.url, FIELDS), flow({}))
        contact_ids = {rest.create("Contact", LastName=f"C{number}") for number in range(5)}
        receiver.wait_for(1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    release.set()
    first_posts = receiver.take()
    receiver.answer = lambda _number: (200, ACK)
    with program(state) as (_, rest):
        until(lambda: not Control(rest).queue)
    second_posts = receiver.take()
    assert {fields["Id"] for post in second_posts for fields in post.records} == contact_ids
    ids = {id_ for post in second_posts for id_, _ in post.notifications}
    assert {id_ for post in first_posts for id_, _ in post.notifications} <= ids, (
        "a message that comes again keeps its IDs"
    )


def test_stopping_does_not_wait_for_an_endpoint_that_hangs(state, receiver, clock):
    release, ended = threading.Event(), threading.Event()

    def hang(_number: int) -> tuple[int, bytes]:
        release.wait(PATIENCE)
        ended.set()
        return 200, ACK

    receiver.answer = hang
    try:
        with serve(state, clock=clock, rng=random.Random(2), deliver=True) as org:
            deploy(org, message(receiver.url, FIELDS), flow({}))
            rest = Rest(org)
            with rest.session:
                rest.create("Contact", LastName="Slow")
            receiver.wait_for(1)
        assert not ended.is_set()
    finally:
        release.set()
    receiver.answer = lambda _number: (200, ACK)
    receiver.take()
    with serve(state, clock=clock, rng=random.Random(2), deliver=True):
        (post,) = receiver.wait_for(1)
    assert post.records[0]["LastName"] == "Slow"


def test_the_clock_stays_turned_when_the_server_starts_again(state, clock):
    with serve(state, clock=clock, rng=random.Random(2)) as org, requests.Session() as session:
        control = Control(Rest(org, session=session))
        control.advance(hours=3)
        assert control("GET", "/clock") == {"now": "2026-03-18T15:00:00.000+0000", "advanced": 10800.0}
    with serve(state, clock=clock, rng=random.Random(2)) as org, requests.Session() as session:
        assert Control(Rest(org, session=session))("GET", "/clock")["advanced"] == 10800.0


def test_a_slowly_responding_endpoint_ends_at_the_time_limit():
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            try:
                while not stop.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(Undelivered, match="did not answer in 0.4 s"):
        Poster(timeout=0.4).post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"<x/>")
    assert thread.is_alive(), "the answer would go on for hours"
    stop.set()
    thread.join()
    listener.close()


def test_an_untrusted_certificate_is_refused(state, clock, monkeypatch):
    with serve(state, clock=clock, rng=random.Random(2), tls=True) as org:
        assert org.tls_url is not None
        poster = Poster()
        with pytest.raises(Undelivered, match=r"127\.0\.0\.1: "):
            poster.post(org.tls_url + "/services/data", b"")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(org.certificate))
        status, _ = poster.post(org.tls_url + "/services/data", b"")
        assert status == 405
        assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "https://example.com/", "http://127.0.0.1.example.com/", "http://[::ffff:10.0.0.1]/"]
)
def test_a_host_that_is_not_this_machine_is_not_contacted(url):
    with pytest.raises(Undelivered, match="is not contacted"):
        Poster().post(url, b"")


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1:x/"])
def test_an_invalid_url_gets_no_request(url):
    with pytest.raises(Undelivered, match="no http or https URL|no URL"):
        Poster().post(url, b"")


def test_a_host_that_is_named_may_be_contacted():
    with pytest.raises(Undelivered, match=r"127\.0\.0\.2 is not contacted"):
        Poster(["127.0.0.3"]).post("http://127.0.0.2:9/", b"")
    with pytest.raises(Undelivered, match=r"127\.0\.0\.2: Connection refused"):
        Poster(["127.0.0.2"]).post("http://127.0.0.2:9/", b"")


def test_two_servers_of_one_state_do_not_send_twice(seed, tmp_path, receiver, clock):
    state = tmp_path / "shared"
    shutil.copytree(seed, state)
    with (
        serve(state, clock=clock, rng=random.Random(2), deliver=True) as first_org,
        serve(state, clock=clock, rng=random.Random(3), deliver=True),
    ):
        deploy(first_org, message(receiver.url, FIELDS), flow({}))
        rest = Rest(first_org)
        with rest.session:
            contact_ids = [rest.create("Contact", LastName=f"C{number}") for number in range(20)]
            until(lambda: not Control(rest).queue)
    assert sorted(fields["Id"] for post in receiver.take() for fields in post.records) == sorted(contact_ids)
