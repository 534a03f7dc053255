"""
Post a message or a webhook to its endpoint: only to allowed hosts, without proxies or redirects.

By default it contacts only this machine, so that no real endpoint receives records of a local org.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from sfcode.local.http import LOOPBACK

TIMEOUT = 60.0
MAX_ANSWER = 64 * 1024
CHUNK = 8 * 1024
SOAP = MappingProxyType({"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'})


class Undelivered(Exception):
    """Raised when there is no usable response; the text omits the endpoint's path, which may hold a secret."""


class Poster:
    """Posts one message at a time; `close` aborts the current request."""

    def __init__(self, hosts: Collection[str] = (), timeout: float = TIMEOUT) -> None:
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._closed = False

    def post(self, url: str, body: bytes, headers: Mapping[str, str] = SOAP) -> tuple[int, bytes]:
        """Post a message; return status and body of the response. Raises Undelivered."""
        parts = self._check_allowed(url)
        deadline = time.monotonic() + self._timeout
        connection = _connection(parts, self._timeout)
        with self._lock:
            if self._closed:
                raise Undelivered("the server is being stopped")
            self._connection = connection
        target = parts.path or "/"
        try:
            connection.request(
                "POST", f"{target}?{parts.query}" if parts.query else target, body, {**headers, "Connection": "close"}
            )
            response = connection.getresponse()
            return response.status, _read(response, connection, deadline)
        except ssl.SSLError as error:
            raise Undelivered(f"{parts.hostname}: {error.reason or error}") from error
        except TimeoutError as error:
            raise Undelivered(f"{parts.hostname} did not answer in {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = isinstance(error, OSError) and error.strerror
            raise Undelivered(f"{parts.hostname}: {reason or type(error).__name__}") from error
        finally:
            with self._lock:
                self._connection = None
            connection.close()

    def close(self) -> None:
        """Abort the current request and refuse further ones."""
        with self._lock:
            self._closed = True
            underway = self._connection.sock if self._connection is not None else None
        if underway is not None:
            try:
                underway.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _check_allowed(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
            _ = parts.port
        except ValueError as error:
            raise Undelivered(f"the endpoint is no URL: {error}") from error
        if parts.scheme not in ("http", "https") or not host:
            raise Undelivered("the endpoint is no http or https URL")
        if host not in self._hosts:
            raise Undelivered(
                f"{host} is not contacted: the local org reaches this machine only, and hosts named by --outbound-host"
            )
        return parts


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = str(parts.hostname)
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout)
    # The trusted certificate authorities: those of this machine, or a file in the variable that other clients read too.
    authority = os.environ.get("REQUESTS_CA_BUNDLE") or None
    return http.client.HTTPSConnection(
        host, parts.port, timeout=timeout, context=ssl.create_default_context(cafile=authority)
    )


def _read(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """Read a response up to a maximum size and until the deadline."""
    parts, size = [], 0
    while size <= MAX_ANSWER:
        remaining_seconds = deadline - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(remaining_seconds)
        part = response.read1(CHUNK)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)
