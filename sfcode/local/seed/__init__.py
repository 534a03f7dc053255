"""The initial data of a local org: a company file in YAML, the shipped one or the user's."""

from __future__ import annotations

import random
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from sfcode.errors import SfcodeError
from sfcode.local.store import Store

__all__ = ["SEED", "ensure_seeded", "load_file", "load_text", "reset"]

SEED = "northwind.yaml"


def ensure_seeded(store: Store, *, now: datetime, rng: random.Random) -> None:
    """Load the shipped company into an empty store; leave any other store unchanged."""
    with store.read() as tx:
        if tx.settings.get("org_id"):
            return
    # Reading the file takes longer than everything else, and it is needed once in the life of a state.
    load_text(store, _read_seed(), f"<{SEED}>", now=now, rng=rng, only_if_empty=True)


def reset(store: Store, *, now: datetime, rng: random.Random) -> None:
    """Replace the contents of a store with the shipped company."""
    load_text(store, _read_seed(), f"<{SEED}>", now=now, rng=rng)


def load_file(store: Store, path: Path, *, now: datetime, rng: random.Random) -> None:
    """Replace the contents of a store with the company of a file. Raises ConfigError with all problems."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SfcodeError(f"{path}: cannot be read: {error}", "Give the path of a company file.") from error
    load_text(store, text, str(path), now=now, rng=rng)


def load_text(
    store: Store, text: str, name: str, *, now: datetime, rng: random.Random, only_if_empty: bool = False
) -> None:
    """Replace the contents of a store with the company of a YAML text. Raises ConfigError with all problems."""
    from sfcode.local.seed.document import read
    from sfcode.local.seed.load import Founding

    document = read(text, name)
    with store.transaction() as tx:
        if only_if_empty and tx.settings.get("org_id"):
            return
        Founding(tx, document, now=now, rng=rng).run()


def _read_seed() -> str:
    return files(__package__).joinpath(SEED).read_text(encoding="utf-8")
