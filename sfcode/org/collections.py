"""
Up to 200 records in one call (sObject Collections), and several queries in one composite request.

No call is retried here, since only the caller can decide what may be repeated.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from requests.models import Response

from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass
from sfcode.org.connection import Connection
from sfcode.org.rest import Row, convert_row, parse_error
from sfcode.org.session import SESSION_EXPIRED
from sfcode.org.transport import read_retry_after, translate_errors, unavailable_error

MAX_RECORDS = 200
"""The maximum number of records in one call."""

_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


class CallRefused(OrgError):
    """Raised when the org refuses a whole call; `status` is the HTTP status."""

    def __init__(self, message: str, *, code: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.status = status


@dataclass(frozen=True, slots=True)
class RecordError:
    """An error of one record in a call for several."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of one record in a call for several: its ID, or the errors."""

    id: str
    errors: tuple[RecordError, ...] = ()
    created: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """API requests of the last 24 hours, and the daily limit of the org."""

    used: int
    limit: int


class RecordCollections:
    """sObject Collections and composite queries of one org. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._base = f"{connection.instance_url}/services/data/v{connection.api_version}"
        self.usage: Usage | None = None
        """The usage in the last response; None before the first."""

    def update(
        self, records: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> list[RecordResult]:
        """Update up to 200 records independently: `{"attributes": {"type": ...}, "Id": ..., field: value}`."""
        return self._collection("/composite/sobjects", records, headers)

    def create(
        self, records: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> list[RecordResult]:
        """Create up to 200 records independently: `{"attributes": {"type": ...}, field: value}`."""
        return self._collection("/composite/sobjects", records, headers, method="POST")

    def upsert(
        self,
        sobject: str,
        field: str,
        records: Sequence[Mapping[str, Any]],
        headers: Mapping[str, str] | None = None,
    ) -> list[RecordResult]:
        """Upsert up to 200 records independently, by their external IDs."""
        return self._collection(f"/composite/sobjects/{sobject}/{field}", records, headers)

    def query(self, soql: str) -> list[Row]:
        """Return all rows of a query."""
        return self._rows(self._call("GET", f"/query?q={quote(soql, safe='')}"))

    def queries(self, texts: Sequence[str]) -> list[list[Row] | CallRefused]:
        """Run up to five queries in one API request; return rows or the refusal of each."""
        prefix = f"/services/data/v{self._connection.api_version}/query?q="
        requests = [
            {"method": "GET", "url": prefix + quote(text, safe=""), "referenceId": f"q{index}"}
            for index, text in enumerate(texts)
        ]
        answer = self._call("POST", "/composite", {"allOrNone": False, "compositeRequest": requests})
        results: list[list[Row] | CallRefused] = []
        for part in answer["compositeResponse"]:
            if part["httpStatusCode"] == 200:
                results.append(self._rows(part["body"]))
                continue
            refusal = self._refusal(int(part["httpStatusCode"]), part["body"])
            if not isinstance(refusal, CallRefused):
                raise refusal
            results.append(refusal)
        return results

    def limits(self) -> Usage:
        """Return the API requests used and the daily limit of the org."""
        daily = self._call("GET", "/limits")["DailyApiRequests"]
        self.usage = Usage(int(daily["Max"]) - int(daily["Remaining"]), int(daily["Max"]))
        return self.usage

    def _collection(
        self,
        path: str,
        records: Sequence[Mapping[str, Any]],
        headers: Mapping[str, str] | None,
        method: str = "PATCH",
    ) -> list[RecordResult]:
        answer = self._call(method, path, {"allOrNone": False, "records": list(records)}, headers)
        if not isinstance(answer, list) or len(answer) != len(records):
            raise OrgError(
                f"{self._connection.instance_url} sent an unexpected response: not one result for each of {len(records)} records."
            )
        return [_parse_result(item) for item in answer]

    def _rows(self, page: Mapping[str, Any]) -> list[Row]:
        rows = [convert_row(row) for row in page["records"]]
        while not page["done"]:
            url = str(page["nextRecordsUrl"])
            page = self._send("GET", self._connection.instance_url + url, None)
            rows.extend(convert_row(row) for row in page["records"])
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
        with translate_errors(url):
            response = self._connection.http.request(method, url, json=body, headers=headers)
        self._record_usage(response)
        try:
            answer = response.json()
        except ValueError:
            raise unavailable_error(response) from None
        if response.status_code != 200:
            raise self._refusal(response.status_code, answer, read_retry_after(response))
        return answer

    def _record_usage(self, response: Response) -> None:
        match = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if match:
            self.usage = Usage(int(match[1]), int(match[2]))

    def _refusal(self, status: int, answer: Any, retry_after: float | None = None) -> OrgError:
        code, message = parse_error(answer)
        session = self._connection.session
        if code == SESSION_EXPIRED or (status == 401 and not code):
            return session.expired_error(message)
        text = session.scrub(f"{code or status}: {message}")
        return CallRefused(text, code=code, status=status, retry_after=retry_after)


def _parse_result(answer: Mapping[str, Any]) -> RecordResult:
    errors = tuple(
        RecordError(str(error.get("statusCode", "")), str(error.get("message", "")), tuple(error.get("fields") or ()))
        for error in answer.get("errors") or ()
    )
    if not answer.get("success") and not errors:
        errors = (RecordError("UNKNOWN_EXCEPTION", "no reason given"),)
    return RecordResult(str(answer.get("id") or ""), errors, bool(answer.get("created")))
