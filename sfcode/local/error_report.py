"""What a local org says of its own troubles: those of the disk in plain words, all others as an org does, with a report."""

from __future__ import annotations

import logging
import sqlite3

from sfcode.errors import SfcodeError

UNUSABLE = "The state of this local org cannot be read or written"


def told(log: logging.Logger, what: str, error: Exception) -> str:
    """
    Log what went wrong, and give the sentence that a client is told. Call it while the error is handled.

    A disk that is full or may not be written to is nobody's bug: it is named, without a traceback.
    """
    if isinstance(error, sqlite3.Error | SfcodeError | OSError):
        said = error.message if isinstance(error, SfcodeError) else f"{UNUSABLE}: {error}"
        log.error("%s: %s", what, said)
        return said
    log.error("%s", what, exc_info=error)
    return f"An unexpected error occurred: {type(error).__name__}"
