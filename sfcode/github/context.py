"""The GitHub context of a command: repository, pull request and token, from the runner's variables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sfcode.errors import SfcodeError, UsageError
from sfcode.hosts import is_loopback
from sfcode.lazy_dataclasses import dataclass
from sfcode.secret import Secret

API = "https://api.github.com"
BOT = "github-actions[bot]"
"""The login of the token that GitHub passes to every job."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_PULL_REF = re.compile(r"refs/pull/(\d+)/")


class GitHubError(SfcodeError):
    """Raised when a request to GitHub fails."""


@dataclass(frozen=True)
class JobContext:
    """The context of this job."""

    repository: str
    api_url: str
    token: Secret
    event: Mapping[str, Any]
    ref: str = ""
    sha: str = ""
    login: str = ""
    """The login of the token, for tokens of apps, whose login GitHub does not return."""

    @property
    def pull_number(self) -> int:
        """The number of the job's pull request. Raises UsageError if there is none."""
        pull = self.event.get("pull_request")
        if isinstance(pull, Mapping) and isinstance(pull.get("number"), int):
            return int(pull["number"])
        match = _PULL_REF.match(self.ref)
        if match:
            return int(match[1])
        raise UsageError(
            "This workflow run does not belong to a pull request, so there is nothing to comment on.",
            "Run it in a workflow `on: pull_request`, or set GITHUB_REF=refs/pull/NUMBER/merge.",
        )

    @property
    def head_sha(self) -> str:
        """The head commit of the pull request; otherwise the commit of the run."""
        pull = self.event.get("pull_request")
        head = pull.get("head") if isinstance(pull, Mapping) else None
        return str(head["sha"]) if isinstance(head, Mapping) and head.get("sha") else self.sha

    @property
    def base_name(self) -> str:
        """The base branch of the pull request."""
        pull = self.event.get("pull_request")
        base = pull.get("base") if isinstance(pull, Mapping) else None
        return str(base["ref"]) if isinstance(base, Mapping) and base.get("ref") else "the base"

    @property
    def from_fork(self) -> bool:
        """Whether the pull request comes from a fork, whose jobs have a read-only token."""
        pull = self.event.get("pull_request")
        head = pull.get("head") if isinstance(pull, Mapping) else None
        if not isinstance(head, Mapping):
            return False
        repository = head.get("repo")
        return not isinstance(repository, Mapping) or repository.get("full_name") != self.repository


def read_job_context(environ: Mapping[str, str]) -> JobContext:
    """Read the runner's variables. Raises UsageError with the missing ones."""
    missing = [name for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY") if not environ.get(name)]
    if missing:
        raise UsageError(
            f"To write to GitHub, {' and '.join(missing)} must be set.",
            "In a workflow, give the step `env: GITHUB_TOKEN: ${{ github.token }}`; GitHub sets the rest.",
        )
    repository = environ["GITHUB_REPOSITORY"]
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"GITHUB_REPOSITORY is {repository!r}.", "Write it as OWNER/NAME.")
    return JobContext(
        repository=repository,
        api_url=_api_url(environ.get("GITHUB_API_URL") or API),
        token=Secret(environ["GITHUB_TOKEN"]),
        event=_event(environ.get("GITHUB_EVENT_PATH")),
        ref=environ.get("GITHUB_REF", ""),
        sha=environ.get("GITHUB_SHA", ""),
        login=environ.get("SFCODE_GITHUB_LOGIN", ""),
    )


def _api_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return text.rstrip("/")
    raise UsageError(f"GITHUB_API_URL is {text!r}; a token is not sent there.", f"Write it as {API}")


def _event(path: str | None) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The file {path} of GITHUB_EVENT_PATH cannot be read.", "Unset it outside a workflow."
        ) from error
    return event if isinstance(event, dict) else {}
