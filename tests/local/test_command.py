"""`sfcode local` in a separate process."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.programs import Program, run
from tests.waiting import PATIENCE


@contextmanager
def serving(state: Path, *words: str) -> Iterator[tuple[Program, str]]:
    """Run `local serve` until the block ends; yield the process and the first line that it prints."""
    line = ("local", "serve", "--port", "0", "--state", str(state), *words)
    with Program(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def call(ready: dict[str, Any], method: str, path: str, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {ready['access_token']}"}
    return requests.request(
        method, f"{ready['url']}/services/data/v62.0{path}", headers=headers, timeout=PATIENCE, **more
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_one_line_when_ready_and_stops_cleanly(state: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the process with code 0 and without a traceback."""
    with serving(state, "--json") as (process, line):
        ready = json.loads(line)
        assert set(ready) == {"url", "access_token", "org_id", "username", "appcues_url"}
        assert call(ready, "GET", "/limits").status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")


def test_serve_prints_how_to_sign_in(state: Path) -> None:
    with serving(state) as (process, line):
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        out = process.stdout.read()
    assert line.startswith("The local org answers at http://127.0.0.1:")
    assert "SF_ORG_INSTANCE_URL=http://127.0.0.1:" in out
    assert "sf org login access-token" in out


def test_an_appcues_is_served_beside_the_org_and_reset_with_it(state: Path) -> None:
    """The output has its URL and credentials; its data is in the org's folder."""
    auth = ("local-appcues-key", "local-appcues-secret")
    with serving(state) as (process, _):
        assert process.stdout is not None
        matches = (
            re.search(r"APPCUES_API_URL=(\S+) APPCUES_API_KEY=(\S+) APPCUES_API_SECRET=(\S+)", line)
            for line in process.stdout
        )
        match = next(filter(None, matches))
        assert match.groups()[1:] == auth
        profile = f"{match[1]}/v2/accounts/1/users/u1/profile"
        assert requests.patch(profile, json={"plan": "pro"}, auth=auth, timeout=PATIENCE).status_code == 200
        assert (state / "appcues.db").exists()
        run("local", "reset", "--state", str(state)).check_returncode()
        assert requests.get(profile, auth=auth, timeout=PATIENCE).status_code == 404


def test_a_taken_port_of_appcues_is_named_with_its_option(state: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        words = (
            "local",
            "serve",
            "--port",
            "0",
            "--appcues-port",
            str(listener.getsockname()[1]),
            "--state",
            str(state),
        )
        result = run(*words, timeout=PATIENCE)
    assert result.returncode == 1
    assert "Choose another one with --appcues-port" in result.stderr


def test_confirmed_writes_survive_a_kill(state: Path) -> None:
    with serving(state, "--json") as (process, line):
        ready = json.loads(line)
        ids = [call(ready, "POST", "/sobjects/Contact", json={"LastName": f"K{n}"}).json()["id"] for n in range(5)]
        process.kill()
        process.wait(timeout=PATIENCE)
    with serving(state, "--json") as (_, line):
        ready_again = json.loads(line)
        assert ready_again["access_token"] == ready["access_token"]
        for id_ in ids:
            assert call(ready_again, "GET", f"/sobjects/Contact/{id_}").status_code == 200


def test_reset_and_load_change_a_running_org(state: Path, tmp_path: Path) -> None:
    """Another process loads another company, and the running server uses its data."""
    company = tmp_path / "company.yaml"
    shipped = Path(__file__).parents[2] / "sfcode" / "local" / "seed" / "northwind.yaml"
    company.write_text(shipped.read_text().replace("Northwind Traders", "Southwind Traders"))
    with serving(state, "--json") as (_, line):
        ready = json.loads(line)
        for words, name in ((("load", str(company)), "Southwind Traders"), (("reset",), "Northwind Traders")):
            run("local", *words, "--state", str(state)).check_returncode()
            answer = call(ready, "GET", "/query", params={"q": "SELECT Name FROM Organization"})
            assert answer.json()["records"][0]["Name"] == name


def test_a_wrong_company_file_is_a_usage_error_and_changes_nothing(state: Path, tmp_path: Path) -> None:
    company = tmp_path / "company.yaml"
    company.write_text("version: 1\n")
    result = run("local", "load", str(company), "--state", str(state))
    assert result.returncode == 1
    assert "company.yaml:1:1: users: the section users is missing or empty" in result.stderr


def test_an_app_is_registered_and_signs_in(state: Path) -> None:
    """The output of `local app` is sufficient for a sign-in, also while the org is served."""
    with serving(state, "--json") as (_, line):
        ready = json.loads(line)
        words = ("local", "app", "CI", "--run-as", ready["username"], "--state", str(state))
        result = run("--json", *words, timeout=PATIENCE)
        result.check_returncode()
        app = json.loads(result.stdout)["result"]
        form = {
            "grant_type": "client_credentials",
            "client_id": app["consumer_key"],
            "client_secret": app["consumer_secret"],
        }
        answer = requests.post(f"{ready['url']}/services/oauth2/token", data=form, timeout=PATIENCE).json()
        assert call(ready | answer, "GET", "/limits").status_code == 200


def test_an_app_with_a_bad_certificate_is_refused(state: Path, tmp_path: Path) -> None:
    pem = tmp_path / "bad.pem"
    pem.write_text("nonsense", encoding="utf-8")
    result = run("local", "app", "CI", "--certificate", str(pem), "--state", str(state), timeout=PATIENCE)
    assert result.returncode != 0
    assert "certificate: this is neither a certificate nor a public key of RSA. give it in PEM form" in result.stderr


def test_a_shipped_company_is_loaded_by_its_name(state: Path) -> None:
    run("local", "load", "clicked", "--state", str(state)).check_returncode()
    with serving(state, "--json") as (_, line):
        query = "SELECT Name FROM PermissionSet WHERE Name = 'Appcues_Access'"
        answer = call(json.loads(line), "GET", "/query", params={"q": query})
        assert answer.json()["totalSize"] == 1
    refused = run("local", "load", "klicked", "--state", str(state))
    assert refused.returncode == 1
    assert "klicked is neither a file nor a shipped company." in refused.stderr
    assert "Shipped companies are clicked, northwind, subscribers." in refused.stderr
