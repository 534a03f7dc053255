"""One signed-in connection: SOAP and REST over one HTTP session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import requests

from sfcode.errors import OrgError
from sfcode.org import retry
from sfcode.org.options import Runtime
from sfcode.org.session import SESSION_EXPIRED, Session, SignIn
from sfcode.org.transport import (
    Bearer,
    http_session,
    leave_unsigned,
    read_retry_after,
    translate_errors,
    unavailable_error,
)

if TYPE_CHECKING:
    from lxml import etree

    from sfcode.org import soap


class Connection:
    """A session with an org, and its HTTP connections."""

    def __init__(self, sign_in: SignIn, environ: Mapping[str, str], api_version: str, runtime: Runtime) -> None:
        self.session = Session(sign_in, runtime.clock)
        self.api_version = api_version
        self.runtime = runtime
        self.http = http_session(self.session.instance_url, environ, runtime)
        self.http.auth = Bearer(self.session)
        self.http.hooks["response"].append(self._note_date)
        self._date: tuple[str, float] = ("", 0.0)

    @property
    def instance_url(self) -> str:
        """Scheme, host and port of the org."""
        return self.session.instance_url

    def close(self) -> None:
        """Close the connections; the session in the org remains."""
        self.http.close()

    def call(self, operation: str, fields: soap.Fields, *, fresh: bool = False) -> tuple[etree._Element, ...]:
        """
        Call an operation of the Metadata API and return its `result` elements.

        An expired session is renewed and the call repeated, which is safe: the org did nothing. With `fresh`, a
        new connection is opened, since the org may be closing an idle one at that moment.
        """
        parameters = list(fields)
        token = self.session.token
        try:
            return self._soap(operation, parameters, fresh=fresh)
        except OrgError as error:
            if error.code != SESSION_EXPIRED:
                raise
            refusal = error
        if not self.session.renew(token):
            raise self.session.expired_error() from refusal
        try:
            return self._soap(operation, parameters, fresh=fresh)
        except OrgError as error:
            raise (self.session.expired_error() if error.code == SESSION_EXPIRED else error) from refusal

    def now(self, *, within: float = 0.0) -> datetime:
        """
        Return the org's time, from the Date header of a response; this machine's time if there is no such header.

        The last response is used if it is less than `within` seconds old; otherwise a request is sent.
        """

        def read() -> datetime:
            with translate_errors(self.instance_url):
                self.http.get(f"{self.instance_url}/services/data/")
            return self._read_date()

        header, received_at = self._date
        if header and self.runtime.clock() - received_at < within:
            return self._read_date()
        return retry.call(read, self.runtime)

    def _note_date(self, response: requests.Response, **_: Any) -> None:
        self._date = (response.headers.get("Date", ""), self.runtime.clock())

    def _read_date(self) -> datetime:
        header, received_at = self._date
        try:
            date = parsedate_to_datetime(header).astimezone(UTC)
        except ValueError:
            return datetime.fromtimestamp(self.runtime.now(), UTC)
        return date + timedelta(seconds=self.runtime.clock() - received_at)

    def _soap(self, operation: str, parameters: soap.Fields, *, fresh: bool) -> tuple[etree._Element, ...]:
        from sfcode.org import soap  # with lxml, which the first requests do without

        if fresh:
            self.http.close()  # closes only idle connections; the session opens new ones
        url = f"{self.instance_url}/services/Soap/m/{self.api_version}"
        with translate_errors(url):
            response = self.http.post(
                url,
                data=soap.render_envelope(operation, parameters, self.session.token),
                headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
                auth=leave_unsigned,  # the envelope contains the session ID
            )
        # A fault has status 500. Other errors are not SOAP, but may be XML.
        if response.status_code not in (requests.codes.ok, requests.codes.server_error):
            raise unavailable_error(response)
        try:
            return soap.parse_answer(response.content, operation)
        except soap.NotSoap as error:
            if response.status_code != requests.codes.ok:
                raise unavailable_error(response) from error
            raise
        except OrgError as error:
            error.args = (self.session.scrub(error.message),)
            error.message = self.session.scrub(error.message)
            error.retry_after = read_retry_after(response)
            raise
