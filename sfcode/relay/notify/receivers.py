"""The receivers of `relay.notify`, with their URLs and secrets from the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from sfcode.config.notify_models import NotifyReceiver
from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError
from sfcode.hosts import is_loopback, is_metadata_service
from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.inbox.notifications import NotifyRule
from sfcode.relay.ingress.auth.standard import SHORTEST_KEY, key_of
from sfcode.secret import Secret


@dataclass(frozen=True, slots=True)
class Receiver:
    """The URL and the format of notifications to one receiver."""

    rule: NotifyRule
    form: Literal["standard_webhooks", "slack"]
    url: Secret
    """The URL, which may contain a token, as Slack's does."""
    secret: Secret

    @property
    def name(self) -> str:
        """The name of the variable with the URL, which identifies a receiver in the inbox and in messages."""
        return self.rule.receiver


def read_receivers(project: Project, environ: Mapping[str, str]) -> tuple[Receiver, ...]:
    """Read the receivers of a project. Raises ConfigError with all problems of their variables."""
    problems = list(receiver_problems(project, environ))
    if problems:
        raise ConfigError(problems)
    return tuple(_receiver(entry, environ) for entry in project.settings.relay.notify)


def receiver_problems(project: Project, environ: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield the problems of the variables in `relay.notify`."""
    for entry in project.settings.relay.notify:
        receiver = _receiver(entry, environ)
        if problem := _url_problem(receiver.url.reveal(), entry.form):
            yield Diagnostic.error(None, entry.url_variable, *problem)
        if entry.secret_variable and (problem := _secret_problem(receiver.secret)):
            yield Diagnostic.error(None, entry.secret_variable, *problem)


def _receiver(entry: NotifyReceiver, environ: Mapping[str, str]) -> Receiver:
    url, secret = (environ.get(name or "", "").strip() for name in (entry.url_variable, entry.secret_variable))
    rule = NotifyRule(entry.url_variable, entry.alarms, timedelta(hours=entry.repeat_hours))
    return Receiver(rule, entry.form, Secret(url), Secret(secret))


def _url_problem(url: str, form: str) -> tuple[str, str] | None:
    if not url:
        origin = "Slack shows for the incoming webhook" if form == "slack" else "notifications are sent to"
        return "is not set, and relay.notify refers to it", f"set it to the URL that {origin}, or remove the entry"
    try:
        parts = urlsplit(url)
        host, is_wrong = parts.hostname or "", parts.username is not None or bool(parts.fragment) or parts.port == 0
    except ValueError:
        return "is not a URL", "write it like https://alerts.example.com/relay"
    if not host or is_wrong or any(character.isspace() for character in url):
        return "is not a URL", "write it like https://alerts.example.com/relay"
    if is_metadata_service(host):
        return f"leads to {host}, the metadata service of a cloud", "use the host of the receiver"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return "does not begin with https", "http is only possible for a receiver on this machine"
    return None


def _secret_problem(secret: Secret) -> tuple[str, str] | None:
    hint = "set it to what `openssl rand -base64 32` prints, and give the same to the receiver"
    if not secret:
        return "is not set; notifications are signed with it", hint
    if len(key_of(secret)) < SHORTEST_KEY:
        return f"is not base64 of at least {SHORTEST_KEY} bytes", hint
    return None
