"""HTTP with an org: a keep-alive session that bounds the time and size of responses and renews an expired token."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.models import PreparedRequest, Response
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError

from sfcode import __version__
from sfcode.errors import OrgError
from sfcode.hosts import is_loopback
from sfcode.org import deadline
from sfcode.org.options import Runtime
from sfcode.org.retry import NoAnswer, parse_retry_after
from sfcode.org.session import Session

log = logging.getLogger(__name__)

CHUNK = 64 * 1024


class OrgAdapter(HTTPAdapter):
    """
    Applies the limits to every request, whichever library sends it.

    `plain` sends https requests over http, since simple-salesforce supports https only,
    and the local org is reached over http.
    """

    def __init__(self, runtime: Runtime, *, plain: bool) -> None:
        super().__init__(pool_maxsize=8)
        self.runtime = runtime
        self.plain = plain

    def send(  # type: ignore[override]  # the stub names a narrower type for `timeout` than requests passes
        self, request: PreparedRequest, *, stream: bool = False, timeout: Any = None, **options: Any
    ) -> Response:
        """Send with the timeouts of the runtime, and read the response up to its size limit."""
        runtime = self.runtime
        if self.plain and request.url and request.url.startswith("https://"):
            request.url = "http://" + request.url.removeprefix("https://")
        request.headers.update(runtime.request_headers())
        started = runtime.clock()
        connect, read, total = runtime.connect_timeout, runtime.read_timeout, runtime.answer_timeout
        seconds = deadline.remaining_seconds(runtime.clock)
        if seconds is not None:
            if seconds <= 0:
                raise NoAnswer("Deadline exceeded before the request was sent.", sent=False)
            connect, read, total = min(connect, seconds), min(read, seconds), min(total, seconds)
        response = super().send(request, stream=stream, timeout=timeout or (connect, read), **options)
        if not stream:
            self._read(response, started, total)
        runtime.on_response()
        path = urlsplit(request.url or "").path
        log.debug("%s %s: %s in %.3f s", request.method, path, response.status_code, runtime.clock() - started)
        return response

    def _read(self, response: Response, started: float, at_most: float) -> None:
        """Read the body in bounded time and size, which requests does not do."""
        parts: list[bytes] = []
        size = 0
        host = urlsplit(response.url).netloc
        for part in response.iter_content(CHUNK):
            parts.append(part)
            size += len(part)
            if size > self.runtime.max_answer_bytes:
                response.close()
                raise OrgError(f"{host} sent a response of more than {self.runtime.max_answer_bytes:,} bytes.")
            if self.runtime.clock() - started > at_most:
                response.close()
                raise NoAnswer(f"{host} did not finish its response in {at_most:.0f} s.", sent=True)
        response._content = b"".join(parts)  # noqa: SLF001  # the one place where requests keeps a body


class Bearer(AuthBase):
    """Add the token to each request to the org; after a 401, renew it and send the request once more."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token to a request."""
        # The token is only sent to its own org, whatever URL a response may contain.
        if urlsplit(request.url or "").netloc != urlsplit(self.session.instance_url).netloc:
            request.headers.pop("Authorization", None)
            return request
        token = self.session.token
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        request.hooks.setdefault("response", []).append(partial(self._retry_with_new_token, token))
        return request

    def _retry_with_new_token(self, token: Any, response: Response, **options: Any) -> Response:
        if response.status_code != requests.codes.unauthorized or not self.session.renew(token):
            return response
        response.close()
        request = response.request.copy()
        request.headers["Authorization"] = f"Bearer {self.session.token.reveal()}"
        second_response: Response = response.connection.send(request, **options)
        second_response.history.append(response)
        return second_response


def leave_unsigned(request: PreparedRequest) -> PreparedRequest:
    """Return the request unchanged. As `auth`, this keeps requests from reading ~/.netrc."""
    return request


def http_session(url: str, environ: Mapping[str, str], runtime: Runtime) -> requests.Session:
    """Return an HTTP session for one server, without redirects."""
    parts = urlsplit(url)
    session = requests.Session()
    session.auth = leave_unsigned
    # A redirect would send the session ID, which is in the body of SOAP, to another host.
    session.max_redirects = 0
    session.headers["User-Agent"] = f"sfcode/{__version__}"
    session.mount("https://", OrgAdapter(runtime, plain=parts.scheme == "http"))
    del session.adapters["http://"]
    if parts.scheme == "http":
        session.mount("http://", OrgAdapter(runtime, plain=True))
    if is_loopback(parts.hostname or ""):
        session.trust_env = False  # requests to this machine must not use a proxy
        session.verify = environ.get("REQUESTS_CA_BUNDLE") or True
    return session


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Raise OrgError or NoAnswer for the exceptions of requests."""
    host = urlsplit(url).netloc
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise NoAnswer(
            f"{host} has no certificate that this machine trusts.",
            "Set REQUESTS_CA_BUNDLE to the right CA file, or check the URL.",
            sent=False,
            permanent=True,
        ) from error
    except requests.exceptions.TooManyRedirects as error:
        location = error.response.headers.get("Location", "") if error.response is not None else ""
        target = urlsplit(location)
        raise OrgError(
            f"{host} redirects to {target.scheme}://{target.netloc}; the token is not sent there.",
            "Use the org's own address (Setup > My Domain).",
        ) from error
    except requests.exceptions.ProxyError as error:
        reason = f"No connection to {host} through the proxy: {_reason(error)}."
        raise NoAnswer(reason, "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.", sent=False) from error
    except requests.exceptions.ConnectTimeout as error:
        raise NoAnswer(f"No connection to {host}: {_reason(error)}.", _NETWORK, sent=False) from error
    except requests.exceptions.ReadTimeout as error:
        raise NoAnswer(f"{host} did not answer in time.", _NETWORK, sent=True) from error
    except requests.exceptions.ConnectionError as error:
        if _never_connected(error):
            raise NoAnswer(f"No connection to {host}: {_reason(error)}.", _NETWORK, sent=False) from error
        raise NoAnswer(f"{host} closed the connection: {_reason(error)}.", _NETWORK, sent=True) from error
    except requests.exceptions.RequestException as error:
        raise NoAnswer(f"The response of {host} could not be read: {_reason(error)}.", sent=True) from error


_NETWORK = "Check the address, the network and https://status.salesforce.com."


def _never_connected(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ProxyError)


def _reason(error: Exception) -> str:
    """Return the text of the innermost cause, such as "Name or service not known"."""
    inner = error
    while True:
        text = getattr(inner, "reason", None) or (inner.args[-1] if inner.args else None)
        deeper = text if isinstance(text, Exception) else inner.__cause__
        if not isinstance(deeper, Exception):
            return str(text or type(inner).__name__)
        inner = deeper


def unavailable_error(response: Response) -> NoAnswer:
    """Return the error for a response that is not from the API, such as the error page of a proxy."""
    host = urlsplit(response.url).netloc
    return NoAnswer(
        f"{host} answered {response.status_code} {response.reason or ''}".rstrip() + ".",
        _NETWORK,
        sent=True,
        permanent=response.status_code < requests.codes.server_error
        and response.status_code != requests.codes.too_many_requests,
        retry_after=read_retry_after(response),
    )


def read_retry_after(response: Response) -> float | None:
    """Return the seconds of a response's Retry-After header; None if it has none."""
    return parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
