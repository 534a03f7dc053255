"""Settings of `relay serve`: read from the environment, and checked together."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sfcode.config.project import Project
from sfcode.config.secrets import MINIMUM_LENGTH
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError
from sfcode.hosts import is_loopback
from sfcode.lazy_dataclasses import dataclass
from sfcode.secret import Secret

if TYPE_CHECKING:
    from sfcode.relay.ingress import IngressSecrets
    from sfcode.relay.notify.receivers import Receiver

DATABASE = "SFCODE_RELAY_DATABASE_URL"
ADMIN = "SFCODE_RELAY_ADMIN_TOKEN"
API_KEY = "APPCUES_API_KEY"
API_SECRET = "APPCUES_API_SECRET"  # noqa: S105 (the name of a variable)
API_URL = "APPCUES_API_URL"

DATA_KEYS = "SFCODE_RELAY_DATA_KEYS"

LEASE = 60.0
"""The lease of claimed messages in seconds. Messages of a killed relay are claimed again after this time."""

HOSTS = {"us": "https://api.appcues.com", "eu": "https://api.eu.appcues.com"}

KEY_BYTES = 32
_DATA_KEY = "create one with `openssl rand -base64 32`; separate several keys by commas, the newest first"
_RANDOM = "set it to a random text, such as `openssl rand -hex 24` prints"
_KEYS = "create an API key in Appcues Studio: Settings > API keys"


@dataclass(frozen=True, slots=True)
class Directions:
    """The directions in which the relay delivers."""

    to_salesforce: bool
    to_appcues: bool


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Settings of `serve`, except the project and the sign-in to Salesforce."""

    host: str
    port: int
    lease: float
    database: Secret
    """The URL of the inbox's database, which may contain a password."""
    ingress: IngressSecrets
    admin: Secret | None
    appcues_key: Secret
    appcues_secret: Secret
    appcues_url: str
    directions: Directions
    admin_port: int | None = None
    """Address and port of the dashboard and the metrics, if separate from those of webhooks and outbound messages."""
    data_keys: tuple[Secret, ...] = ()
    """Keys that encrypt personal data in the inbox, the newest first."""
    receivers: tuple[Receiver, ...] = ()
    """The receivers of notifications about alarms."""


def directions(project: Project) -> Directions:
    """Return the directions that a project's mappings need."""
    mappings = [mapping for mapping in project.resolved if mapping.by_relay]
    # An event of a user may set attributes of the user's group: from Appcues back to Appcues.
    needs_both = bool(project.recipes.group_progress)
    return Directions(needs_both or any(mapping.receives for mapping in mappings), needs_both or sends_records(project))


def sends_records(project: Project) -> bool:
    """Return whether Salesforce sends records for Appcues to the relay."""
    return any(mapping.sends for mapping in project.resolved if mapping.by_relay)


def database_url(project: Project, environ: Mapping[str, str]) -> Secret:
    """Return the inbox's URL: that of the variable, else of a file in the project's `.sfcode`."""
    url = environ.get(DATABASE, "").strip()
    return Secret(url or default_database(project.root))


def data_keys(environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return the keys that encrypt the inbox, the newest first. Raises ConfigError for an invalid key."""
    reader = _Reader(environ)
    keys = reader.data_keys()
    if reader.problems:
        raise ConfigError(reader.problems)
    return keys


def default_database(root: Path) -> str:
    """Return the URL of a project's default inbox."""
    return f"sqlite:///{root / '.sfcode' / 'relay.db'}"


def read_settings(
    project: Project,
    environ: Mapping[str, str],
    *,
    host: str,
    port: int,
    admin_port: int | None = None,
    lease: float = LEASE,
) -> RelaySettings:
    """Read the settings. Raises ConfigError with all problems, each with a hint."""
    from sfcode.relay.ingress.secrets import WEBHOOK, outbound_name, read_secrets, secret_problems
    from sfcode.relay.notify.receivers import read_receivers, receiver_problems

    reader = _Reader(environ)
    needed_directions = directions(project)
    beyond = f", and {host} can be reached from other machines" if not is_loopback(host) else ""
    ingress = read_secrets(project, environ)
    unchecked = project.settings.relay.webhook_auth.scheme == "none"
    if needed_directions.to_salesforce and beyond and not ingress.webhook and not unchecked:
        reader.add(WEBHOOK, f"is not set{beyond}; webhooks of Appcues are authenticated with it", _RANDOM)
    if beyond and unchecked:
        hint = "set another scheme, or listen on 127.0.0.1"
        reader.add("relay.webhook_auth.scheme", f"`none` lets anyone send events{beyond}", hint)
    if sends_records(project) and not ingress.outbound:
        reader.add(outbound_name(project), "is not set; it is part of the URL that Salesforce sends to", _RANDOM)
    reader.problems += secret_problems(project, ingress)
    notify_problems = list(receiver_problems(project, environ))
    reader.problems += notify_problems
    settings = RelaySettings(
        host=host,
        port=port,
        lease=lease,
        database=database_url(project, environ),
        ingress=ingress,
        admin=reader.secret(ADMIN, "it opens the dashboard and the metrics", beyond),
        appcues_key=reader.key(API_KEY, needed=needed_directions.to_appcues),
        appcues_secret=reader.key(API_SECRET, needed=needed_directions.to_appcues),
        appcues_url=reader.url(API_URL, HOSTS[project.settings.appcues.region]),
        directions=needed_directions,
        admin_port=admin_port,
        data_keys=reader.data_keys(),
        receivers=() if notify_problems else read_receivers(project, environ),
    )
    if not (needed_directions.to_appcues or needed_directions.to_salesforce):
        reader.add("", "no mapping of this project has `delivery: relay`", "the relay has nothing to deliver")
    if reader.problems:
        raise ConfigError(reader.problems)
    return settings


class _Reader:
    """Reads variables and collects problems."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[Diagnostic] = []

    def add(self, name: str, message: str, hint: str) -> None:
        self.problems.append(Diagnostic.error(None, name, message, hint))

    def secret(self, name: str, purpose: str, needed: str) -> Secret | None:
        """Read a secret of the project; `needed` is the reason why it is required, "" if it is optional."""
        value = self._environ.get(name, "").strip()
        if not value:
            if needed:
                self.add(name, f"is not set{needed.rstrip()}; {purpose}", _RANDOM)
            return None
        if len(value) < MINIMUM_LENGTH:
            self.add(name, f"is shorter than {MINIMUM_LENGTH} characters and could be guessed", _RANDOM)
        return Secret(value)

    def key(self, name: str, *, needed: bool) -> Secret:
        """Read a credential of Appcues."""
        value = self._environ.get(name, "").strip()
        if needed and not value:
            self.add(name, "is not set; profiles are written to Appcues with it", _KEYS)
        return Secret(value)

    def data_keys(self) -> tuple[Secret, ...]:
        """Read the keys of the inbox, which are separated by commas."""
        texts = [text.strip() for text in self._environ.get(DATA_KEYS, "").split(",") if text.strip()]
        for number, text in enumerate(texts, 1):
            try:
                is_key = len(base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)) == KEY_BYTES
            except ValueError:
                is_key = False
            if not is_key:
                self.add(DATA_KEYS, f"key {number} is not base64 of {KEY_BYTES} bytes", _DATA_KEY)
        # A key can be written in two base64 alphabets; its name is computed from one of them.
        return tuple(Secret(text.replace("+", "-").replace("/", "_")) for text in texts)

    def url(self, name: str, default: str) -> str:
        """Read the URL of Appcues' API; the default is that of the region."""
        value = self._environ.get(name, "").strip().rstrip("/")
        if not value:
            return default
        try:
            parts = urlsplit(value)
            host = parts.hostname or ""
            wrong = not host or parts.username is not None or bool(parts.query or parts.fragment)
            plain = parts.scheme == "http" and is_loopback(host)
        except ValueError:
            wrong, plain, parts = True, False, urlsplit("")
        if wrong or not (plain or parts.scheme == "https"):
            self.add(
                name, "is not the URL of an API", "use https://HOST, or http://127.0.0.1:PORT for the local Appcues"
            )
        return value
