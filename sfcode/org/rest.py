"""Records over REST, through simple-salesforce, whose errors become OrgError."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from sfcode.errors import OrgError
from sfcode.lean_imports import import_without
from sfcode.org import retry
from sfcode.org.connection import Connection
from sfcode.org.parallel import CONCURRENCY, run_parallel
from sfcode.org.retry import NoAnswer
from sfcode.org.session import SESSION_EXPIRED
from sfcode.org.transport import read_retry_after, translate_errors

if TYPE_CHECKING:
    from requests.models import Response
    from simple_salesforce.api import Salesforce
    from simple_salesforce.exceptions import SalesforceError

Row = dict[str, Any]

MAX_QUERIES = 5
"""The maximum number of queries in one composite request."""
MAX_PARTS = 25
"""The maximum number of parts in one composite request."""

UNUSED = {
    "simple_salesforce.metadata": ("SfdcMetadataApi",),
    "simple_salesforce.bulk": ("SFBulkHandler",),
    "simple_salesforce.bulk2": ("SFBulk2Handler",),
    "simple_salesforce.login": ("SalesforceLogin",),
}
"""Modules of simple-salesforce that import slow packages (zeep, more-itertools, jwt, cryptography), with their classes and functions."""

SERVER_ERROR = 500
TOO_MANY = 429


def load_client_class() -> type[Salesforce]:
    """Return the class `simple_salesforce.Salesforce`."""
    with import_without("simple_salesforce", UNUSED):
        from simple_salesforce.api import Salesforce
    return Salesforce


class Rest:
    """The REST API of one org. A refused request raises OrgError with the org's error code."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = threading.local()
        connection.http.hooks["response"].append(self._note_wait)
        # The http session signs each request itself, so that a renewed token is used at once.
        self.client: Salesforce = load_client_class()(
            instance_url=connection.instance_url,
            session_id=connection.session.token.reveal(),
            version=connection.api_version,
            session=connection.http,
        )

    def query(
        self, soql: str, values: tuple[Any, ...], named_values: Mapping[str, Any], *, tooling: bool = False
    ) -> list[Row]:
        """Run a query, with quoted values in place of `{}` and `{name}`."""
        text = quote_values(soql, values, named_values)
        return self._read(lambda: [convert_row(row) for row in self._pages(text, tooling=tooling)])

    def _pages(self, soql: str, *, tooling: bool) -> Iterator[Row]:
        if not tooling:
            yield from self.client.query_all_iter(soql)
            return
        answer = self.client.toolingexecute("query/", params={"q": soql})
        while True:
            yield from answer["records"]
            if answer["done"]:
                return
            answer = self.client.query_more(answer["nextRecordsUrl"], identifier_is_url=True)

    def count(self, soql: str, values: tuple[Any, ...], named_values: Mapping[str, Any]) -> int:
        """Run `SELECT COUNT() ...`."""
        text = quote_values(soql, values, named_values)
        return self._read(lambda: int(self.client.query(text)["totalSize"]))

    def create(self, sobject: str, values: Mapping[str, Any]) -> str:
        """Create a record and return its ID."""
        return self._write(lambda: str(self._type(sobject).create(dict(values))["id"]))

    def update(self, sobject: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Update a record."""
        self._write(lambda: self._type(sobject).update(record_id, dict(values)))

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record."""
        self._write(lambda: self._type(sobject).delete(record_id))

    def tooling(self, method: str, sobject: str, record_id: str, values: Mapping[str, Any] | None = None) -> None:
        """Update or delete a record of the Tooling API."""
        path = f"sobjects/{sobject}/{record_id}"
        self._write(lambda: self.client.toolingexecute(path, method, None if values is None else dict(values)))

    def describe(self, sobject: str) -> Row | None:
        """Return the describe of an object; None if it does not exist or is not readable."""
        try:
            return self._read(lambda: cast("Row", self._type(sobject).describe()))
        except OrgError as error:
            if error.code == "NOT_FOUND":
                return None
            raise

    def get(self, path: str) -> Row:
        """Return a JSON document of this server by its path."""
        url = self._connection.instance_url + path

        def read() -> Row:
            from simple_salesforce.util import exception_handler

            response = self._connection.http.get(url)
            if response.status_code != 200:
                exception_handler(response, path)
            return cast("Row", response.json())

        return self._read(read)

    def read_together(
        self,
        queries: Mapping[str, tuple[str, tuple[Any, ...]]],
        documents: Mapping[str, str],
        parse: Callable[[str, Any], Any],
    ) -> dict[str, Any]:
        """
        Run queries and read documents in one composite request, or in several beyond 5 queries or 25 parts.

        Returns for each name the rows, the result of `parse` for a document, or the OrgError of a refusal. A document is parsed as
        soon as it arrives, since those of a large project do not fit into memory together. Paths are relative to the API
        version.
        """
        base = f"/services/data/v{self._connection.api_version}"
        paths = {
            name: f"query?q={quote(quote_values(soql, values, {}), safe='')}"
            for name, (soql, values) in queries.items()
        }

        def read(names: list[str]) -> dict[str, Any]:
            requests = [
                {"method": "GET", "url": f"{base}/{paths.get(name) or documents[name]}", "referenceId": name}
                for name in names
            ]
            body = {"allOrNone": False, "compositeRequest": requests}
            response = self._read(partial(self._post, f"{base}/composite", body))
            with self.refuse_unexpected_responses():
                parts = response["compositeResponse"]
                answers = {name: self._part(parts[index], is_query=name in queries) for index, name in enumerate(names)}
            return {
                name: answer if name in queries or isinstance(answer, OrgError) else parse(name, answer)
                for name, answer in answers.items()
            }

        answers = run_parallel(
            [partial(read, names) for names in _batches(list(queries), list(documents))], CONCURRENCY
        )
        return {name: answer for batch in answers for name, answer in batch.items()}

    def _post(self, path: str, body: Mapping[str, Any]) -> Row:
        from simple_salesforce.util import exception_handler

        response = self._connection.http.post(self._connection.instance_url + path, json=body)
        if response.status_code != 200:
            exception_handler(response, path)
        return cast("Row", response.json())

    def _part(self, part: Mapping[str, Any], *, is_query: bool) -> Any:
        """Return the result of one part of a composite request, with all pages of a query, or its refusal."""
        answer = part["body"]
        if part["httpStatusCode"] != 200:
            code, message = parse_error(answer)
            if code == SESSION_EXPIRED:
                raise self._connection.session.expired_error(message)
            return OrgError(self._connection.session.scrub(f"{code}: {message}"), code=code)
        if not is_query:
            return answer
        rows = list(answer["records"])
        while not answer["done"]:
            answer = self.get(str(answer["nextRecordsUrl"]))
            rows.extend(answer["records"])
        return [convert_row(row) for row in rows]

    def _type(self, sobject: str) -> Any:
        return getattr(self.client, sobject)

    def _read(self, action: Callable[[], retry.Answer]) -> retry.Answer:
        return retry.call(lambda: self._translate(action), self._connection.runtime)

    def _write(self, action: Callable[[], retry.Answer]) -> retry.Answer:
        return retry.call(lambda: self._translate(action), self._connection.runtime, repeatable=False)

    def _translate(self, action: Callable[[], retry.Answer]) -> retry.Answer:
        with translate_errors(self._connection.instance_url), self._refusals():
            return action()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        from simple_salesforce.exceptions import SalesforceError

        try:
            with self.refuse_unexpected_responses():
                yield
        except SalesforceError as error:
            raise self._refusal(error) from None  # the library's text contains URL and body, which may contain values

    @contextmanager
    def refuse_unexpected_responses(self) -> Iterator[None]:
        """Raise OrgError in this block for a response without the expected keys or types, such as that of a proxy."""
        try:
            yield
        except (AttributeError, LookupError, TypeError) as error:
            raise OrgError(f"{self._connection.instance_url} sent an unexpected response ({error!r}).") from error

    def _refusal(self, error: SalesforceError) -> OrgError:
        code, message = parse_error(error.content)
        session = self._connection.session
        if code == SESSION_EXPIRED or (error.status == 401 and not code):
            return session.expired_error(message)
        if not code and (error.status >= SERVER_ERROR or error.status == TOO_MANY):
            message_text = f"{self._connection.instance_url} answered {error.status}."
            return NoAnswer(message_text, sent=True, retry_after=self._last.retry_after)
        if not code:
            return OrgError(f"{self._connection.instance_url} answered {error.status} for {error.resource_name}.")
        return OrgError(session.scrub(f"{code}: {message}"), code=code, retry_after=self._last.retry_after)

    def _note_wait(self, response: Response, **_: Any) -> None:
        """Store the Retry-After of the last response of this thread, since simple-salesforce's errors have no headers."""
        self._last.retry_after = read_retry_after(response)


def _batches(queries: list[str], documents: list[str]) -> Iterator[list[str]]:
    """Split parts into composite requests within the limits of one request."""
    while queries or documents:
        batch = queries[:MAX_QUERIES]
        room = MAX_PARTS - len(batch)
        yield [*batch, *documents[:room]]
        queries, documents = queries[MAX_QUERIES:], documents[room:]


def parse_error(content: Any) -> tuple[str, str]:
    """Return code and message of an error body, which is a list in REST and an object in OAuth."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or ""
    message = first.get("message") or first.get("error_description") or ""
    fields = first.get("fields")
    if isinstance(fields, list) and fields:
        message = f"{message} ({', '.join(map(str, fields))})"
    return str(code), str(message)


def quote_values(soql: str, values: tuple[Any, ...], named_values: Mapping[str, Any]) -> str:
    """Insert values into a query, quoted for SOQL. A query without values is not changed."""
    if not values and not named_values:
        return soql
    from simple_salesforce.format import format_soql

    return format_soql(soql, *values, **named_values)


def convert_row(record: Mapping[str, Any]) -> Row:
    """Return a record without its `attributes`, also in nested records; a sub-query becomes a list of rows."""
    return {name: _value(value) for name, value in record.items() if name != "attributes"}


def _value(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "records" in value and "totalSize" in value:
        return [convert_row(record) for record in value["records"]]
    return convert_row(value)
