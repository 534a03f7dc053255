"""The secrets that authenticate senders: the current and, during a rotation, the previous ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sfcode.config.project import Project
from sfcode.config.relay_models import Relay
from sfcode.config.secrets import MINIMUM_LENGTH
from sfcode.diagnostics import Diagnostic
from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.ingress.auth.standard import SHORTEST_KEY, key_of
from sfcode.secret import Secret

WEBHOOK = "SFCODE_RELAY_WEBHOOK_SECRET"
PREVIOUS = "_PREVIOUS"
"""The suffix of the variable with the previous secret, which is valid until the variable is removed."""

_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_RANDOM = "set it to a random text, such as `openssl rand -hex 24` prints"


@dataclass(frozen=True, slots=True)
class IngressSecrets:
    """The secrets that senders present or sign with."""

    webhook: Secret | None = None
    outbound: Secret | None = None
    webhook_previous: Secret | None = None
    outbound_previous: Secret | None = None

    def of_webhooks(self) -> tuple[Secret, ...]:
        """Return the secrets that are valid for webhooks."""
        return tuple(secret for secret in (self.webhook, self.webhook_previous) if secret)

    def of_outbound(self) -> tuple[Secret, ...]:
        """Return the secrets that are valid for outbound messages."""
        return tuple(secret for secret in (self.outbound, self.outbound_previous) if secret)


def read_secrets(project: Project, environ: Mapping[str, str]) -> IngressSecrets:
    """Read the secrets from the environment; a secret that is not set is None."""
    names = outbound_name(project), outbound_name(project) + PREVIOUS
    values = [environ.get(name, "").strip() for name in (WEBHOOK, WEBHOOK + PREVIOUS, *names)]
    webhook, webhook_before, outbound, outbound_before = (Secret(value) if value else None for value in values)
    return IngressSecrets(webhook, outbound, webhook_before, outbound_before)


def outbound_name(project: Project) -> str:
    """Return the name of the variable with the secret in the URL that Salesforce sends to."""
    return project.settings.relay.outbound_secret.removeprefix("${secret:").removesuffix("}")


def secret_problems(project: Project, secrets: IngressSecrets) -> Iterator[Diagnostic]:
    """Yield problems of the secrets that are set."""
    relay, name = project.settings.relay, outbound_name(project)
    for variable, secret in ((WEBHOOK, secrets.webhook), (WEBHOOK + PREVIOUS, secrets.webhook_previous)):
        if secret is not None and (problem := _webhook_problem(relay, secret.reveal())):
            yield Diagnostic.error(None, variable, *problem)
    for variable, secret in ((name, secrets.outbound), (name + PREVIOUS, secrets.outbound_previous)):
        if secret is not None and (problem := _token_problem(secret.reveal())):
            yield Diagnostic.error(None, variable, *problem)


def _webhook_problem(relay: Relay, value: str) -> tuple[str, str] | None:
    scheme = relay.webhook_auth.scheme
    if scheme == "standard_webhooks":
        if value.startswith(("whpk_", "whsk_")):
            return (
                "is an asymmetric key, which is not supported",
                "use a symmetric secret, which begins with whsec_",
            )
        if len(key_of(Secret(value))) < SHORTEST_KEY:
            return f"is not base64 of {SHORTEST_KEY} bytes or more", "copy the signing secret, which begins with whsec_"
        return None
    if scheme == "path":
        return _token_problem(value)
    password = value.partition(":")[2] or value if scheme == "basic" else value
    if len(password) < MINIMUM_LENGTH:
        return f"is shorter than {MINIMUM_LENGTH} characters and could be guessed", _RANDOM
    if scheme in ("header", "bearer") and not _HEADER_SAFE.fullmatch(value):
        return (
            "contains characters that a header cannot contain",
            "use ASCII letters, digits and punctuation, without spaces",
        )
    return None


def _token_problem(value: str) -> tuple[str, str] | None:
    if len(value) < MINIMUM_LENGTH:
        return f"is shorter than {MINIMUM_LENGTH} characters and could be guessed", _RANDOM
    if not _URL_SAFE.fullmatch(value):
        return "contains characters that a URL path cannot contain", "use letters, digits and . _ ~ - only"
    return None
