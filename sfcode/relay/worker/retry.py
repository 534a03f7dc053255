"""When a message is retried, and when it is given up."""

from __future__ import annotations

import math
import random
from datetime import timedelta

from sfcode.lazy_dataclasses import dataclass
from sfcode.relay.message import ClaimedMessage, Retry


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of retries, in seconds."""

    first: float = 1.0
    """The longest wait after the first attempt, which doubles with each further one."""
    most: float = 1800.0
    """The upper bound of the wait, unless Salesforce or Appcues asks for a longer one."""
    outage: float = 3.0
    """The longest wait of a message during an outage; the pauses of the worker between its attempts become longer."""
    asked: float = 24 * 3600.0
    """The longest wait that Salesforce or Appcues can ask for."""
    attempts: int = 20
    """The number of attempts after which a message is given up."""
    age: timedelta = timedelta(days=3)
    """The age from which on `attempts_at_age` applies instead of `attempts`."""
    attempts_at_age: int = 3
    """The number of attempts after which an old message is given up: more than one, since a replayed message is old at
    its first attempt."""


DEFAULT = RetryPolicy()


def retry_delay(
    message: ClaimedMessage, retry: Retry, rng: random.Random, policy: RetryPolicy = DEFAULT
) -> timedelta | None:
    """
    Return how long a message waits before it is retried; None if its attempts are used up.

    Full jitter: a random time up to a limit that doubles, so that messages that failed together are not retried together.
    Attempts that do not count are unlimited; the wait is then at most as long as the message has waited already.
    """
    attempts = message.attempts + 1
    if not retry.counts:
        longest = min(policy.outage, max(policy.first, message.waited.total_seconds()))
    elif attempts >= policy.attempts or (message.waited > policy.age and attempts >= policy.attempts_at_age):
        return None
    else:
        longest = min(policy.most, policy.first * 2.0 ** min(message.attempts, 60))
    delay = rng.uniform(0.0, longest)
    after = retry.after
    if after is not None and math.isfinite(after) and after > delay:
        # Never earlier than asked for, and not all messages at the same moment.
        delay = min(after, policy.asked) + rng.uniform(0.0, policy.first)
    return timedelta(seconds=delay)
