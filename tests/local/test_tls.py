"""The local org over https, with its own self-signed certificate."""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from sfcode.local import LocalOrg, serve, tls
from sfcode.local.store import Store
from tests.local.conftest import HandClock
from tests.local.test_command import serving
from tests.waiting import PATIENCE


def get(org: LocalOrg, base: str, **more: object) -> requests.Response:
    """Request the signed-in user."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {org.access_token}"
        return session.get(f"{base}/services/oauth2/userinfo", timeout=PATIENCE, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_the_certificate_is_answered_with_https_addresses(
    state: Path, clock: HandClock, host: str
) -> None:
    with serve(state, tls=True, clock=clock) as org:
        assert org.tls_url is not None
        base = org.tls_url.replace("127.0.0.1", host)
        answer = get(org, base, verify=str(org.certificate)).json()
        assert answer["sub"].startswith(f"{base}/id/{org.org_id}/")
        assert get(org, org.url).json()["sub"].startswith(f"{org.url}/id/")


def test_a_client_that_does_not_trust_it_refuses(state: Path) -> None:
    with serve(state, tls=True) as org, pytest.raises(requests.exceptions.SSLError):
        get(org, str(org.tls_url))


def test_without_tls_there_is_neither_address_nor_certificate(state: Path) -> None:
    with serve(state) as org:
        assert (org.tls_url, org.certificate) == (None, None)
    assert not (state / tls.FOLDER).exists()


def test_a_server_stops_at_once_although_a_client_keeps_its_connection(state: Path) -> None:
    """The server does not wait for clients to close their idle connections."""
    with requests.Session() as session:
        session.trust_env = False
        with serve(state, tls=True) as org:
            session.get(f"{org.tls_url}/services/data", verify=str(org.certificate), timeout=PATIENCE)
            began = time.monotonic()
        assert time.monotonic() - began < 15, "a TLS connection waits 30 seconds for its client's goodbye"


def test_the_certificate_stays_and_its_key_is_private(store: Store) -> None:
    first = tls.get_identity(store)
    before = first.certificate.read_bytes()
    second = tls.get_identity(store)
    assert second.certificate.read_bytes() == before
    assert stat.S_IMODE(second.key.stat().st_mode) == 0o600


def test_a_certificate_about_to_expire_is_replaced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "LIFETIME", timedelta(days=29))
    short = tls.get_identity(store).certificate.read_bytes()
    monkeypatch.undo()
    long = tls.get_identity(store).certificate.read_bytes()
    assert long != short
    assert tls.get_identity(store).certificate.read_bytes() == long


@pytest.mark.parametrize("damage", ["certificate.pem", "key.pem", "a key of another"])
def test_a_damaged_pair_is_replaced_by_one_that_fits(store: Store, tmp_path: Path, damage: str) -> None:
    identity = tls.get_identity(store)
    if damage.endswith(".pem"):
        (identity.key.parent / damage).unlink()
    else:
        with Store(tmp_path / "other" / "org.db") as other_store:
            shutil.copy(tls.get_identity(other_store).key, identity.key)
    mended = tls.get_identity(store)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mended.certificate, mended.key)
    assert sorted(path.name for path in mended.key.parent.iterdir()) == ["certificate.pem", "key.pem"]


def test_concurrent_starts_get_the_same_certificate(store: Store) -> None:
    """No start replaces a certificate that another start already uses."""

    def make_certificate(_: int) -> bytes:
        return tls.get_identity(store).certificate.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make_certificate, range(8)))) == 1


def test_serve_prints_the_path_of_the_certificate_and_how_to_trust_it(state: Path) -> None:
    words = ("--tls", "--tls-port", "0")
    with serving(state, *words, "--json") as (_, line):
        ready = json.loads(line)
        assert set(ready) == {"url", "access_token", "org_id", "username", "appcues_url", "tls_url", "certificate"}
        answer = requests.get(f"{ready['tls_url']}/services/data", verify=ready["certificate"], timeout=PATIENCE)
        assert answer.status_code == 200
    with serving(state, *words) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        out = process.stdout.read()
    assert f"export NODE_EXTRA_CA_CERTS={ready['certificate']}" in out
    assert f"export REQUESTS_CA_BUNDLE={ready['certificate']}" in out
