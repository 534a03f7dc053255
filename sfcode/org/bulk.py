"""
Query many records through Bulk API 2.0: start a job, poll it, and read its results page by page.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from requests.models import Response

from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org import retry
from sfcode.org.connection import Connection
from sfcode.org.rest import parse_error
from sfcode.org.session import SESSION_EXPIRED
from sfcode.org.transport import read_retry_after, translate_errors, unavailable_error

RUNNING = frozenset({"Open", "UploadComplete", "InProgress"})
COMPLETE = "JobComplete"
NO_BULK = frozenset({"API_DISABLED_FOR_ORG", "FEATURENOTENABLED", "FUNCTIONALITY_NOT_ENABLED", "NOT_FOUND"})
"""Error codes of an org without Bulk API, or without access to it for this user."""


@dataclass(frozen=True, slots=True)
class Job:
    """The status of a bulk query."""

    id: str
    state: str
    records: int
    message: str = ""

    @property
    def runs(self) -> bool:
        """Whether the job is still running."""
        return self.state in RUNNING

    @property
    def complete(self) -> bool:
        """Whether the results are available."""
        return self.state == COMPLETE


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, with values as text and null for a missing one; `locator` is that of the next page."""

    records: tuple[Mapping[str, str | None], ...]
    locator: str | None


class Bulk:
    """Runs bulk queries in one org."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._base = f"{connection.instance_url}/services/data/v{connection.api_version}/jobs/query"

    def start(self, soql: str) -> Job:
        """Start a query and return its job."""
        return _parse_job(self._call("POST", "", repeatable=False, json={"operation": "query", "query": soql}).json())

    def job(self, job_id: str) -> Job:
        """Return the status of a query."""
        return _parse_job(self._call("GET", f"/{quote(job_id, safe='')}").json())

    def page(self, job_id: str, locator: str | None, most: int) -> Page:
        """Return a page of a complete query: the first, or that of a locator."""
        params = {"maxRecords": str(most)} | ({"locator": locator} if locator else {})
        response = self._call("GET", f"/{quote(job_id, safe='')}/results", params=params)
        response.encoding = "utf-8"
        rows = csv.DictReader(io.StringIO(response.text, newline=""))
        locator_header = response.headers.get("Sforce-Locator", "null")
        records = tuple({name: value or None for name, value in row.items()} for row in rows)
        return Page(records, None if locator_header in ("null", "") else locator_header)

    def _call(self, method: str, path: str, *, repeatable: bool = True, **more: Any) -> Response:
        return retry.call(lambda: self._send(method, path, **more), self._connection.runtime, repeatable=repeatable)

    def _send(self, method: str, path: str, **more: Any) -> Response:
        with translate_errors(self._connection.instance_url):
            response = self._connection.http.request(method, self._base + path, **more)
        if response.status_code == 200:
            return response
        try:
            code, message = parse_error(response.json())
        except ValueError:
            raise unavailable_error(response) from None
        session = self._connection.session
        if code == SESSION_EXPIRED:
            raise session.expired_error(message)
        if not code:
            raise unavailable_error(response)
        raise OrgError(session.scrub(f"{code}: {message}"), code=code, retry_after=read_retry_after(response))


def _parse_job(answer: Mapping[str, Any]) -> Job:
    try:
        state, message = str(answer["state"]), str(answer.get("errorMessage") or "")
        return Job(str(answer["id"]), state, int(answer.get("numberRecordsProcessed") or 0), message)
    except (KeyError, TypeError, ValueError) as error:
        raise OrgError(f"The org sent an unexpected response for a bulk job ({error!r}).") from error
