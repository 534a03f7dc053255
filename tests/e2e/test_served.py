"""A command with the local org uses a running server of it, and otherwise starts one."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sfcode.local.running import announce, find_running
from tests.e2e.journey import Journey
from tests.programs import Program

URL = "http://127.0.0.1"


@contextmanager
def serving(journey: Journey) -> Iterator[tuple[Program, str]]:
    """Serve the local org of a project in a separate process, and return its URL."""
    words = ("local", "serve", "--port", "0", "--no-deliveries", "--json")
    with journey.spawn(*words, stderr=subprocess.DEVNULL) as process:
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def planned_at(journey: Journey) -> str:
    """Return the URL of the org that a plan names."""
    result = journey.run("plan", "--format", "json")
    assert result.code == 0, result.err
    return result.json["org"]["instance_url"]


def test_a_running_server_is_used_until_it_ends(applied):
    with serving(applied) as (process, url):
        state = applied.folder / ".sfcode" / "local-org"
        assert planned_at(applied) == url
        assert stat.S_IMODE((state / "serving.json").stat().st_mode) == 0o600
        process.kill()
        process.wait()
        assert (state / "serving.json").exists(), "a killed server cannot take it away"
        assert planned_at(applied) != url


def test_of_two_servers_the_first_is_used_with_the_same_org(applied):
    with serving(applied) as (_, url), serving(applied) as (_, second_url):
        assert second_url != url
        assert planned_at(applied) == url
    assert applied.actions() == {}


@pytest.mark.parametrize("url", ["https://org.example", "https://127.0.0.1@org.example", "", 7])
def test_an_address_of_another_machine_is_not_used(tmp_path, url):
    with announce(tmp_path, url, "token"):
        assert find_running(tmp_path) is None


def test_an_address_file_that_others_may_read_or_write_is_not_used(tmp_path):
    """A git checkout makes files readable for others, so an address file from a clone must not receive secrets."""
    with announce(tmp_path, URL, "token"):
        assert find_running(tmp_path) is not None
        for mode in (0o640, 0o604, 0o602):
            (tmp_path / "serving.json").chmod(mode)
            assert find_running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": "http://127.0.0.1:1"}', '{"a": 1}', "{"])
def test_an_invalid_address_file_is_ignored(tmp_path, text):
    with announce(tmp_path, URL, "token"):
        (tmp_path / "serving.json").write_text(text)
        assert find_running(tmp_path) is None


def test_a_server_is_found_while_it_is_announced(tmp_path):
    assert find_running(tmp_path / "absent") is None
    with announce(tmp_path, URL, "token"):
        server = find_running(tmp_path)
        assert server is not None
        assert (server.url, server.access_token) == (URL, "token")
        with announce(tmp_path, f"{URL}:1", "other"):
            assert find_running(tmp_path) == server
        assert find_running(tmp_path) == server
    assert find_running(tmp_path) is None
    assert not (tmp_path / "serving.json").exists()
