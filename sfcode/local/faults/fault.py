"""One fault: its effect, the requests it applies to, and how often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sfcode.lazy_dataclasses import dataclass, fields

KINDS = {
    "latency": "the answer takes `seconds` longer",
    "unavailable": "503, with Retry-After when `retry_after` is given",
    "drop": "the connection is closed before the request is handled",
    "drop_after": "the request is handled, then the connection is closed without an answer",
    "session_expired": "INVALID_SESSION_ID",
    "request_limit": "REQUEST_LIMIT_EXCEEDED",
    "row_lock": "UNABLE_TO_LOCK_ROW for writes of records of `object`",
    "duplicate_delivery": "an outbound message that was delivered is sent once more; `path` is the endpoint's",
    "slow_deploy": "a deployment begins only after it was asked for `polls` times",
    "locked_org": "a deployment fails with ALREADY_IN_PROCESS",
}
"""The kinds of faults, each with its effect."""

ANY = "*"
MAX_SECONDS = 600.0


class BadFault(ValueError):
    """Raised for an invalid description of a fault."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault as it was requested: its kind, the requests that it applies to, and how often."""

    kind: str
    path: str = ANY
    """A pattern for the request's path, with `*` and `?`."""
    method: str = ANY
    object: str = ANY
    times: int | None = None
    """How often the fault occurs; None means once, or without limit if there is a probability or `every`."""
    skip: int = 0
    """The number of matching requests that are handled normally before the fault applies."""
    every: int = 1
    """Every n-th of the following matching requests fails: with 3 the third, the sixth, and so on."""
    probability: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    retry_after: int | None = None
    polls: int = 2

    @property
    def max_times(self) -> int | None:
        """The total number of times that the fault applies; None for no limit."""
        return 1 if self.times is None and self.probability == 1.0 and self.every == 1 else self.times

    def fits(self, path: str, method: str, object_name: str) -> bool:
        """Return whether the fault applies to this request or to the write of this record."""
        return (
            fnmatchcase(path, self.path)
            and self.method in (ANY, method)
            and self.object.lower() in (ANY, object_name.lower())
        )

    def json(self) -> dict[str, Any]:
        """Return the fault as JSON, without default values."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}


def from_json(value: object, kinds: Collection[str] = tuple(KINDS)) -> InjectedFault:
    """Read a fault of one of the given kinds. Raises BadFault."""
    if not isinstance(value, Mapping):
        raise BadFault('a fault is a JSON object: {"kind": "unavailable", "times": 2}')
    known_fields = {field.name: field for field in fields(InjectedFault)}
    for name in value:
        if name not in known_fields:
            raise BadFault(f"a fault has no {name!r}; there is {', '.join(known_fields)}")
    kind = value.get("kind")
    if kind not in kinds:
        raise BadFault(f"there is no fault {kind!r}; there is {', '.join(kinds)}")
    read = {name: _check(name, setting) for name, setting in value.items()}
    return InjectedFault(**read)


def from_text(text: str) -> InjectedFault:
    """Read a fault from the command line: `unavailable,times=2,path=/services/data/*`. Raises BadFault."""
    kind, *pairs = text.split(",")
    value: dict[str, Any] = {"kind": kind.strip()}
    for pair in pairs:
        name, equals, text_value = pair.partition("=")
        if not equals:
            raise BadFault(f"{pair!r} is not NAME=VALUE")
        value[name.strip()] = _from_word(name.strip(), text_value.strip())
    return from_json(value)


_WHOLE = {"times": 1, "skip": 0, "every": 1, "seed": 0, "retry_after": 0, "polls": 1}
"""Options that are whole numbers, with their minimum."""
_REAL = {"probability": 1.0, "seconds": MAX_SECONDS}
"""Options that are numbers from 0, with their maximum."""


def _check(name: str, value: object) -> Any:
    if name in _WHOLE:
        if isinstance(value, bool) or not isinstance(value, int) or value < _WHOLE[name]:
            raise BadFault(f"{name} is a whole number from {_WHOLE[name]}, not {value!r}")
        return value
    if name in _REAL:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _REAL[name]:
            raise BadFault(f"{name} is a number from 0 to {_REAL[name]:g}, not {value!r}")
        return float(value)
    if not isinstance(value, str) or not value:
        raise BadFault(f"{name} is a text, not {value!r}")
    return value.upper() if name == "method" else value


def _from_word(name: str, word: str) -> Any:
    try:
        if name in _WHOLE:
            return int(word)
        if name in _REAL:
            return float(word)
    except ValueError as error:
        raise BadFault(f"{name} is a number, not {word!r}") from error
    return word
