"""
Calls with many records: sObject Collections, and several queries in one composite request.

Each call is made once: whoever calls knows what may be repeated, and when. Nothing here creates a
record but the upsert by an external id.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from requests.models import Response

from sfcode.errors import OrgError
from sfcode.org.connection import Connection
from sfcode.org.rest import Row, row_of, said
from sfcode.org.retry import parse_retry_after
from sfcode.org.session import SESSION_OVER
from sfcode.org.transport import answering, unavailable

MOST = 200
"""Records in one call."""
MOST_QUERIES = 5
"""Queries in one composite request."""

_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


class CallRefused(OrgError):
    """Raised when the org refuses a whole call; `status` is the HTTP status."""

    def __init__(self, message: str, *, code: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class RecordError:
    """The error of one record."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of one record: its id, or the errors."""

    id: str
    errors: tuple[RecordError, ...] = ()
    created: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """The API requests of the last 24 hours, and the limit of the org."""

    used: int
    limit: int


class Many:
    """The client for calls with many records. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._base = f"{connection.instance_url}/services/data/v{connection.api_version}"
        self.usage: Usage | None = None
        """As the last answer told it."""

    def update(
        self, records: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> list[RecordResult]:
        """Update up to 200 records independently: `{"attributes": {"type": ...}, "Id": ..., field: value}`."""
        return self._collection("/composite/sobjects", records, headers)

    def upsert(
        self,
        sobject: str,
        field: str,
        records: Sequence[Mapping[str, Any]],
        headers: Mapping[str, str] | None = None,
    ) -> list[RecordResult]:
        """Update or create up to 200 records independently, by an external id that each contains."""
        return self._collection(f"/composite/sobjects/{sobject}/{field}", records, headers)

    def query(self, soql: str) -> list[Row]:
        """Run a query and read all pages."""
        return self._rows(self._call("GET", f"/query?q={quote(soql, safe='')}"))

    def queries(self, texts: Sequence[str]) -> list[list[Row]]:
        """Run up to five queries in one request, which counts as one. Raises the first error."""
        prefix = f"/services/data/v{self._connection.api_version}/query?q="
        asked = [
            {"method": "GET", "url": prefix + quote(text, safe=""), "referenceId": f"q{index}"}
            for index, text in enumerate(texts)
        ]
        answer = self._call("POST", "/composite", {"allOrNone": False, "compositeRequest": asked})
        found = []
        for each in answer["compositeResponse"]:
            if each["httpStatusCode"] != 200:
                raise self._refusal(int(each["httpStatusCode"]), each["body"])
            found.append(self._rows(each["body"]))
        return found

    def limits(self) -> Usage:
        """Read the number of API requests used, and the daily limit."""
        daily = self._call("GET", "/limits")["DailyApiRequests"]
        self.usage = Usage(int(daily["Max"]) - int(daily["Remaining"]), int(daily["Max"]))
        return self.usage

    def _collection(
        self, path: str, records: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None
    ) -> list[RecordResult]:
        answer = self._call("PATCH", path, {"allOrNone": False, "records": list(records)}, headers)
        if not isinstance(answer, list) or len(answer) != len(records):
            raise OrgError(f"{self._connection.instance_url} did not answer for each of {len(records)} records.")
        return [_result(each) for each in answer]

    def _rows(self, page: Mapping[str, Any]) -> list[Row]:
        rows = [row_of(row) for row in page["records"]]
        while not page["done"]:
            url = str(page["nextRecordsUrl"])
            page = self._send("GET", self._connection.instance_url + url, None)
            rows.extend(row_of(row) for row in page["records"])
        return rows

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return self._send(method, self._base + path, body, headers)

    def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None
    ) -> Any:
        with answering(url):
            response = self._connection.http.request(method, url, json=body, headers=headers)
        self._note(response)
        try:
            answer = response.json()
        except ValueError:
            raise unavailable(response) from None
        if response.status_code != 200:
            after = parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            raise self._refusal(response.status_code, answer, after)
        return answer

    def _note(self, response: Response) -> None:
        told = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if told:
            self.usage = Usage(int(told[1]), int(told[2]))

    def _refusal(self, status: int, answer: Any, retry_after: float | None = None) -> OrgError:
        code, message = said(answer)
        session = self._connection.session
        if code == SESSION_OVER or (status == 401 and not code):
            return session.over(message)
        text = session.scrub(f"{code or status}: {message}")
        return CallRefused(text, code=code, status=status, retry_after=retry_after)


def _result(answer: Mapping[str, Any]) -> RecordResult:
    errors = tuple(
        RecordError(str(each.get("statusCode", "")), str(each.get("message", "")), tuple(each.get("fields") or ()))
        for each in answer.get("errors") or ()
    )
    if not answer.get("success") and not errors:
        errors = (RecordError("UNKNOWN_EXCEPTION", "no reason given"),)
    return RecordResult(str(answer.get("id") or ""), errors, bool(answer.get("created")))
