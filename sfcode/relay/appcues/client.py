"""Write profiles through Appcues' HTTP API, version 2: https://api.appcues.com/v2/docs."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

import httpx2

from sfcode import __version__
from sfcode.relay.appcues.error_policy import AppcuesAnswer, retry_after
from sfcode.relay.appcues.rate_limit import RateLimit
from sfcode.relay.appcues.values import Value
from sfcode.relay.instrumentation import CallEvents
from sfcode.relay.tracing import trace, trace_headers
from sfcode.secret import Secret

TIMEOUT = 30.0
"""The time limit of one request in seconds, as in Appcues' own client."""
CONNECT = 10.0
CONNECTIONS = 20
LONGEST_ANSWER = 16 * 1024

# httpx logs the URL of each request, which contains the IDs of people.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class Credentials(Protocol):
    """The URL and the credentials of an account's API."""

    @property
    def appcues_url(self) -> str:
        """The base URL of the region's host, or of the local Appcues."""

    @property
    def appcues_key(self) -> Secret:
        """The API key."""

    @property
    def appcues_secret(self) -> Secret:
        """The API key's secret."""


class AppcuesClient:
    """One account's profile API. Every request waits for the rate limit."""

    def __init__(
        self,
        account_id: str,
        credentials: Credentials,
        rate_limit: RateLimit,
        instrumentation: CallEvents,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = f"{credentials.appcues_url.rstrip('/')}/v2/accounts/{quote(account_id, safe='')}"
        self._rate_limit, self._instrumentation, self._clock = rate_limit, instrumentation, clock
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._http = httpx2.AsyncClient(
            auth=(credentials.appcues_key.reveal(), credentials.appcues_secret.reveal()),
            headers={"User-Agent": f"sfcode/{__version__}", "Content-Type": "application/json"},
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        )

    async def write(
        self, kind: str, id_: str, attributes: Mapping[str, Value], deadline: float
    ) -> AppcuesAnswer | None:
        """
        Set attributes of a `user` or `group`; a null removes its attribute.

        Return None if no request was sent, since Appcues asked for a pause or the deadline (monotonic clock) is too close.
        """
        url = f"{self._base}/{kind}s/{quote(id_, safe='')}/profile"
        content = json.dumps(attributes, separators=(",", ":"), allow_nan=False).encode()
        async with self._slots:
            await self._rate_limit.acquire()
            start = self._clock()
            seconds = min(TIMEOUT, deadline - start)
            if seconds <= 0 or self._rate_limit.pause_left:
                return None
            with trace(f"call appcues {kind}_profile") as end:
                answer = await self._patch(url, content, seconds)
                end(answer.outcome)
        self._instrumentation.record_call("appcues", f"{kind}_profile", answer.outcome, self._clock() - start)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _patch(self, url: str, content: bytes, seconds: float) -> AppcuesAnswer:
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT, seconds))
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream("PATCH", url, content=content, timeout=timeout, headers=trace_headers()) as response,
            ):
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) >= LONGEST_ANSWER:
                        break
                wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
                return AppcuesAnswer(response.status_code, body[:LONGEST_ANSWER], wait)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            return AppcuesAnswer(0, outage="no_connection")
        except (httpx2.TimeoutException, TimeoutError):
            return AppcuesAnswer(0, outage="timeout")
        except httpx2.HTTPError:
            return AppcuesAnswer(0, outage="unreachable")
