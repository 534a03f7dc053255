"""GitHub's REST API: authentication, paging, safe retries, and errors with hints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from sfcode import __version__
from sfcode.github.context import BOT, GitHubError, JobContext
from sfcode.hosts import is_loopback
from sfcode.lazy_dataclasses import dataclass
from sfcode.org.options import Runtime

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

ATTEMPTS = 5
LONGEST = 60.0
"""The longest wait before another attempt, in seconds; a longer wait is an error."""
PAGE = 100
VERSION = "2022-11-28"
SERVER_TROUBLE = 500
OK_END = 300


class OutcomeUnknown(GitHubError):
    """Raised when there is no usable response to a request that may have been processed."""


@dataclass(frozen=True)
class _FailedAttempt:
    """A failed attempt: its error, whether it may be retried, and when."""

    error: GitHubError
    again: bool
    after: float | None = None


class GitHub:
    """A client for one repository with one token."""

    def __init__(self, job: JobContext, needs: str, runtime: Runtime | None = None) -> None:
        """Create a client; `needs` names the permissions of the job for error messages."""
        import requests

        self.context = job
        self.needs = needs
        self.runtime = runtime or Runtime()
        self._login = job.login
        self._session = requests.Session()
        # Passed as `auth`, so that requests does not use ~/.netrc instead.
        self._session.auth = self._sign
        self._session.trust_env = not is_loopback(urlsplit(job.api_url).hostname or "")
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": VERSION,
                "User-Agent": f"sfcode/{__version__}",
            }
        )

    def __enter__(self) -> Self:
        """Return the client; the end of the context closes its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def login(self) -> str:
        """The login of the token. The token of a job cannot read it and belongs to GitHub's own bot."""
        if not self._login:
            answer = self._answer("GET", f"{self.context.api_url}/user", accept=(401, 403, 404))
            self._login = str(answer.json()["login"]) if answer.ok else BOT
        return self._login

    def get(self, path: str, *, missing: bool = False) -> Any:
        """Read a resource of the repository; with `missing`, return None if there is none."""
        answer = self._answer("GET", self._url(path), accept=(404,) if missing else ())
        return answer.json() if answer.ok else None

    def pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        """Read all pages of a list."""
        separator = "&" if "?" in path else "?"
        url: str | None = f"{self._url(path)}{separator}per_page={PAGE}"
        while url:
            answer = self._answer("GET", url)
            yield from answer.json()
            url = answer.links.get("next", {}).get("url")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Create a resource. Raises OutcomeUnknown if it is unknown whether it was created."""
        return self._answer("POST", self._url(path), body, repeatable=False).json()

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Update a resource."""
        return self._answer("PATCH", self._url(path), body).json()

    def delete(self, path: str) -> None:
        """Delete a resource, if it still exists."""
        self._answer("DELETE", self._url(path), accept=(404,))

    def _url(self, path: str) -> str:
        return f"{self.context.api_url}/repos/{self.context.repository}/{path}"

    def _sign(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token to a request to GitHub, but not to any other host in a page link."""
        if urlsplit(request.url or "").netloc == urlsplit(self.context.api_url).netloc:
            request.headers["Authorization"] = f"Bearer {self.context.token.reveal()}"
        return request

    def _answer(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: tuple[int, ...] = (),
        repeatable: bool = True,
    ) -> Response:
        attempt = 1
        while True:
            answer, trouble = self._try(method, url, body, accept, repeatable=repeatable)
            if answer is not None:
                return answer
            assert trouble is not None  # noqa: S101  (one of the two is there)
            wait = self._wait(attempt, trouble)
            if wait is None:
                raise trouble.error
            self.runtime.sleep(wait)
            attempt += 1

    def _try(
        self, method: str, url: str, body: Mapping[str, Any] | None, accept: tuple[int, ...], *, repeatable: bool
    ) -> tuple[Response | None, _FailedAttempt | None]:
        import requests

        host = urlsplit(url).netloc
        unsure: Callable[..., GitHubError] = GitHubError if repeatable else OutcomeUnknown
        times = (self.runtime.connect_timeout, self.runtime.read_timeout)
        try:
            answer = self._session.request(method, url, json=body, timeout=times)
        except requests.exceptions.ConnectTimeout:
            return None, _FailedAttempt(GitHubError(f"{host} did not answer in time.", _NETWORK), again=True)
        except requests.exceptions.RequestException as error:
            problem = unsure(f"No answer from {host}: {type(error).__name__}.", _NETWORK)
            return None, _FailedAttempt(problem, again=repeatable)
        if answer.status_code < OK_END or answer.status_code in accept:
            return answer, None
        if answer.status_code >= SERVER_TROUBLE:
            problem = unsure(f"{host} answered {answer.status_code} {answer.reason}.", _NETWORK)
            return None, _FailedAttempt(problem, again=repeatable, after=_retry_after(answer))
        return None, self._refusal(method, answer)

    def _refusal(self, method: str, answer: Response) -> _FailedAttempt:
        message = _message(answer)
        if answer.status_code == 429 or (answer.status_code == 403 and _is_limit(answer, message)):
            after = _retry_after(answer)
            if after is None and answer.headers.get("X-RateLimit-Remaining") == "0":
                after = max(0.0, float(answer.headers.get("X-RateLimit-Reset", "0")) - self.runtime.now())
            soon = "" if after is None else f"; try again in {after:.0f} s"
            limit = GitHubError(f"GitHub has limited the requests: {message}{soon}", "Run the job again later.")
            # The wait that GitHub asks for without a number is a minute.
            return _FailedAttempt(limit, again=True, after=LONGEST if after is None else after)
        path = urlsplit(answer.url).path
        error = GitHubError(f"GitHub answered {answer.status_code} to {method} {path}: {message}", self._hint(answer))
        return _FailedAttempt(error, again=False)

    def _hint(self, answer: Response) -> str:
        if answer.status_code == 401:
            return "Check GITHUB_TOKEN: it is not valid, or it has expired."
        if answer.status_code in (403, 404):
            if self.context.from_fork:
                return (
                    "The token of a pull request from a fork is read-only, so that no comment can be written. The "
                    "step summary contains the review; use --comment only for pull requests from the same "
                    "repository."
                )
            return f"The token lacks a permission: give the job `permissions: {{{self.needs}}}`."
        return ""

    def _wait(self, attempt: int, trouble: _FailedAttempt) -> float | None:
        if not trouble.again or attempt >= ATTEMPTS:
            return None
        if trouble.after is not None:
            return trouble.after if trouble.after <= LONGEST else None
        return self.runtime.rng.uniform(0, min(LONGEST, 2.0 ** (attempt - 1)))


_NETWORK = "Run the job again; https://www.githubstatus.com lists outages."


def _message(answer: Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return str(answer.reason)


def _is_limit(answer: Response, message: str) -> bool:
    headers = answer.headers
    return "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0" or "rate limit" in message.casefold()


def _retry_after(answer: Response) -> float | None:
    after = answer.headers.get("Retry-After", "")
    return float(after) if after.isdigit() else None
