"""Why messages are parked: what it means, and what makes a replay worth while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason, as people read it."""

    what: str
    cure: str


REASONS: dict[str, Reason] = {
    # Of records on their way to Appcues: docs/relay-appcues.md.
    "no_mapping": Reason(
        "the mapping is gone from the config, or no longer sends to Appcues", "put it back, then replay; else nothing"
    ),
    "bad_user_id": Reason("the user id is . or .., which no address can hold", "correct the record"),
    "appcues_not_found": Reason(
        "Appcues knows no such address: the account id is wrong, or of another region",
        "correct `appcues` in sfcode.yaml, then replay",
    ),
    "appcues_refused": Reason(
        "Appcues refused the values, for the reason that is shown", "correct the record or the mapping, then replay"
    ),
}


def cure(name: str) -> str:
    """Say what to do about a reason; nothing for one that this version does not know."""
    return REASONS[name].cure if name in REASONS else ""
