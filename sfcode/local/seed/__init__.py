"""The initial data of a local org: a company file in YAML, the shipped one or the user's."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sfcode.errors import SfcodeError
from sfcode.local.store import Store

if TYPE_CHECKING:
    from sfcode.local.seed.document import SeedDocument

__all__ = ["SEED", "ensure_seeded", "list_shipped", "load_file", "load_shipped", "load_text"]

SEED = "northwind"
EXTENDS = "extends"
"""The key in a company file with the name of the shipped company that the file extends."""

AGE = timedelta(minutes=1)
"""
The age of a company's records when it is loaded.

Rollback and destroy refuse to delete a field of an object whose records have changed since the field was deployed. The
times of an org have whole seconds: without this age, the records of a new org could count as changed since its first
deployment.
"""


def ensure_seeded(store: Store, *, now: datetime, rng: random.Random) -> None:
    """Load the shipped company into an empty store; leave any other store unchanged."""
    with store.read() as tx:
        if tx.settings.get("org_id"):
            return
    # Parsing the file is slow, and needed only once per state.
    load_text(store, _read_seed(SEED), f"<{SEED}.yaml>", now=now, rng=rng, only_if_empty=True)


def load_file(store: Store, path: Path, *, now: datetime, rng: random.Random) -> None:
    """Replace the contents of a store with the company of a file. Raises ConfigError with all problems."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SfcodeError(f"{path}: cannot be read: {error}", "Give the path of a company file.") from error
    load_text(store, text, str(path), now=now, rng=rng)


def load_shipped(store: Store, name: str, *, now: datetime, rng: random.Random) -> None:
    """Replace the contents of a store with a shipped company, one of `list_shipped()`."""
    load_text(store, _read_seed(name), f"<{name}.yaml>", now=now, rng=rng)


def list_shipped() -> list[str]:
    """List the names of the shipped companies."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.yaml"))


def load_text(
    store: Store, text: str, name: str, *, now: datetime, rng: random.Random, only_if_empty: bool = False
) -> None:
    """Replace the contents of a store with the company of a YAML text. Raises ConfigError with all problems."""
    from sfcode.local.seed.document import read
    from sfcode.local.seed.load import CompanyLoader

    document = _extend(read(text, name))
    with store.transaction() as tx:
        if only_if_empty and tx.settings.get("org_id"):
            return
        CompanyLoader(tx, document, now=now - AGE, rng=rng).run()


def _extend(document: SeedDocument) -> SeedDocument:
    """Return a company, merged with the shipped company that it extends."""
    from sfcode.local.seed.document import extend, read

    if not isinstance(document.value, dict) or EXTENDS not in document.value:
        return document
    name = document.value.pop(EXTENDS)
    if name not in list_shipped():
        document.add_problem((EXTENDS,), f"there is no shipped company {name}", f"one of {', '.join(list_shipped())}")
        document.raise_problems()
    return extend(_extend(read(_read_seed(name), f"<{name}.yaml>")), document)


def _read_seed(name: str) -> str:
    return Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
