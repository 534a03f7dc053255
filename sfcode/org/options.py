"""Clocks, randomness and limits of the client, as arguments, so that tests can replace them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from sfcode.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Runtime:
    """Clocks, randomness, timeouts (seconds) and size limits; the defaults are those of the command line."""

    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    answer_timeout: float = 600.0
    """Limit for a whole response, since a server that sends a byte a minute never exceeds `read_timeout`."""
    max_answer_bytes: int = 64 * 1024 * 1024
    """The maximum size of a response: above the platform's own limit for a retrieve (39 MB zipped, as base64)."""
    cli_timeout: float = 60.0
    """Limit for one call of the `sf` command line."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    rng: random.Random = field(default_factory=random.Random)
    request_headers: Callable[[], Mapping[str, str]] = dict
    """Returns additional headers for each request, such as the context of a trace."""
    on_response: Callable[[], object] = lambda: None
    """Called for every response, in the thread that sent the request."""
