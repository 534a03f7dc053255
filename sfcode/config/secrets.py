"""Read the secrets of a project from the process environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sfcode.config.project import Project, SecretRef
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError

MINIMUM_LENGTH = 16
"""The minimum length of a secret. A shorter one could be guessed from a fingerprint, or occur in another text by chance."""

_RANDOM = "use a random one, for example from `openssl rand -hex 24`"
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


def resolve_secrets(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of all secrets. Raises ConfigError with the position of each missing one."""
    problems = [problem for ref in project.secrets if (problem := _problem(ref, project, environ))]
    if problems:
        raise ConfigError(problems)
    return {ref.name: environ[ref.name] for ref in project.secrets}


def _problem(ref: SecretRef, project: Project, environ: Mapping[str, str]) -> Diagnostic | None:
    value = environ.get(ref.name, "")
    in_url = project.settings.relay.outbound_secret == f"${{secret:{ref.name}}}"
    if not value:
        message, hint = f"the secret {ref.name} is not set", f"set the environment variable {ref.name}"
        hint += ", for a trial to the output of `openssl rand -hex 24`" if in_url else ""
    elif len(value) < MINIMUM_LENGTH:
        message, hint = f"the secret {ref.name} is shorter than {MINIMUM_LENGTH} characters", _RANDOM
    elif in_url and not _URL_SAFE.fullmatch(value):
        message = f"the value of the secret {ref.name} contains characters that a URL path cannot contain"
        hint = "use letters, digits and . _ ~ - only"
    else:
        return None
    return Diagnostic.error(ref.position, ref.path, message, hint)
