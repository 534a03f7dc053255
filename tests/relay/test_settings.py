"""The required settings of the relay."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sfcode.config import load
from sfcode.errors import ConfigError
from sfcode.relay.settings import read_settings

SECRETS = {
    "SFCODE_RELAY_WEBHOOK_SECRET": "webhook-0123456789abcdef",
    "SFCODE_RELAY_OUTBOUND_SECRET": "outbound-0123456789abcdef",
    "SFCODE_RELAY_ADMIN_TOKEN": "admin-0123456789abcdef",
    "APPCUES_API_KEY": "key-0123456789abcdef",
    "APPCUES_API_SECRET": "secret-0123456789abcdef",
    "SFCODE_RELAY_DATABASE_URL": "postgresql://relay:p4ssw0rd-of-the-database@db/relay",
}


@pytest.fixture(scope="module")
def project(root: Path):
    return load(root / "config", "local")


def read(project, environ, host="127.0.0.1"):
    return read_settings(project, environ, host=host, port=8400)


def problems(project, environ, host):
    with pytest.raises(ConfigError) as caught:
        read(project, environ, host)
    return {problem.path: str(problem) for problem in caught.value.problems}


def test_all_missing_settings_are_listed_with_their_hints(project):
    found_problems = problems(project, {}, "0.0.0.0")
    assert set(found_problems) == set(SECRETS) - {"SFCODE_RELAY_DATABASE_URL"}
    assert "openssl rand -hex 24" in found_problems["SFCODE_RELAY_ADMIN_TOKEN"]
    assert "Appcues Studio" in found_problems["APPCUES_API_KEY"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "relay.example.com"])
@pytest.mark.parametrize(
    "name", ["SFCODE_RELAY_WEBHOOK_SECRET", "SFCODE_RELAY_OUTBOUND_SECRET", "SFCODE_RELAY_ADMIN_TOKEN"]
)
def test_the_relay_listens_beyond_loopback_only_with_every_secret(project, host, name):
    assert list(problems(project, {**SECRETS, name: " "}, host)) == [name]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_webhooks_and_the_dashboard_may_be_open(project, host):
    environ = {
        name: SECRETS[name] for name in ("SFCODE_RELAY_OUTBOUND_SECRET", "APPCUES_API_KEY", "APPCUES_API_SECRET")
    }
    settings = read(project, environ, host)
    assert settings.ingress.webhook is None
    assert settings.admin is None
    assert settings.database.reveal() == f"sqlite:///{project.root / '.sfcode' / 'relay.db'}"


def test_webhooks_without_authentication_are_accepted_on_loopback_only(root, tmp_path):
    shutil.copytree(root / "config", tmp_path / "config")
    file = tmp_path / "config" / "sfcode.yaml"
    file.write_text(file.read_text().replace("{scheme: path}", "{scheme: none}"))
    project = load(tmp_path / "config", "local")
    environ = {name: value for name, value in SECRETS.items() if name != "SFCODE_RELAY_WEBHOOK_SECRET"}
    assert read(project, environ).ingress.webhook is None
    assert list(problems(project, environ, "0.0.0.0")) == ["relay.webhook_auth.scheme"]


def test_a_new_secret_is_accepted_beside_the_previous_one(project):
    environ = {**SECRETS, "SFCODE_RELAY_WEBHOOK_SECRET_PREVIOUS": "the-webhook-secret-before"}
    assert len(read(project, environ).ingress.of_webhooks()) == 2
    environ["SFCODE_RELAY_WEBHOOK_SECRET_PREVIOUS"] = "short"
    assert list(problems(project, environ, "127.0.0.1")) == ["SFCODE_RELAY_WEBHOOK_SECRET_PREVIOUS"]


def test_a_short_secret_is_refused(project):
    found_problems = problems(project, {**SECRETS, "SFCODE_RELAY_ADMIN_TOKEN": "short"}, "0.0.0.0")
    assert "shorter than 16" in found_problems["SFCODE_RELAY_ADMIN_TOKEN"]


def test_neither_settings_nor_their_problems_show_secret_values(project):
    settings = read(project, SECRETS, "0.0.0.0")
    assert not [value for value in SECRETS.values() if value in repr(settings)]
    found_problems = problems(project, {**SECRETS, "APPCUES_API_URL": "http://appcues.example.com"}, "0.0.0.0")
    assert not [value for value in SECRETS.values() if value in str(found_problems)]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://127.0.0.1",
        "https://",
        "https://user:secret@api.example.com",
        "x",
        "https://[::1",
    ],
)
def test_credentials_of_appcues_go_over_tls_or_to_this_machine_only(project, url):
    assert list(problems(project, {**SECRETS, "APPCUES_API_URL": url}, "127.0.0.1")) == ["APPCUES_API_URL"]


@pytest.mark.parametrize("url", ["https://proxy.example.com/appcues", "http://127.0.0.1:8301"])
def test_appcues_is_where_its_variable_says(project, url):
    assert read(project, {**SECRETS, "APPCUES_API_URL": url + "/"}).appcues_url == url


def test_appcues_is_where_the_accounts_region_is(project):
    assert read(project, SECRETS).appcues_url == "https://api.appcues.com"
