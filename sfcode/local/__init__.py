"""
The local org: an emulator of a Salesforce org on this machine that serves the same APIs.

Its state is one SQLite file in a folder. The state outlives the process, and several processes may use it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfcode.local.clock import Clock
    from sfcode.local.server import LocalOrg, serve

__all__ = ["LocalOrg", "access_token", "load", "register_app", "reset", "serve"]


def reset(state: Path, *, clock: Clock | None = None, rng: random.Random | None = None) -> None:
    """Replace the data of the org in this folder with the shipped company, and empty the Appcues account beside it."""
    from sfcode.local import appcues

    load(state, None, clock=clock, rng=rng)
    appcues.reset(state)


def load(
    state: Path, company: Path | str | None, *, clock: Clock | None = None, rng: random.Random | None = None
) -> None:
    """
    Replace the data of the org in this folder with a company.

    `company` is the path of a company file, the name of a shipped company (`clicked`), or None for that of a new org.
    """
    from sfcode.local import seed as companies
    from sfcode.local.clock import SystemClock
    from sfcode.local.store import open_store

    now, chance = (clock or SystemClock()).now(), rng or random.SystemRandom()
    with open_store(state) as store:
        if isinstance(company, Path):
            companies.load_file(store, company, now=now, rng=chance)
        else:
            companies.load_shipped(store, company or companies.SEED, now=now, rng=chance)


def access_token(state: Path, username: str, *, rng: random.Random | None = None) -> str | None:
    """Return an access token for an active user of the org in this folder; None if there is no such user."""
    from sfcode.local import auth
    from sfcode.local.clock import SystemClock
    from sfcode.local.store import open_store

    with open_store(state) as store, store.transaction() as tx:
        user = auth.find_active_user(tx, username)
        if user is None:
            return None
        return auth.get_or_create_token(tx, str(user["Id"]), now=SystemClock().now(), rng=rng or random.SystemRandom())


def register_app(state: Path, settings: Mapping[str, Any], *, rng: random.Random | None = None) -> dict[str, Any]:
    """Register an app that may sign in to the org in this folder; return its row, including consumer key and secret."""
    from sfcode.errors import SfcodeError
    from sfcode.local import seed as companies
    from sfcode.local.clock import SystemClock
    from sfcode.local.signin.apps import parse_app
    from sfcode.local.store import open_store

    chance = rng or random.SystemRandom()
    faults: list[str] = []
    app = parse_app(settings, lambda key, text, hint: faults.append(f"{key}: {text}. {hint}".strip()), chance)
    if faults:
        raise SfcodeError("The app cannot be registered.", "\n".join(faults))
    with open_store(state) as store:
        companies.ensure_seeded(store, now=SystemClock().now(), rng=chance)
        with store.transaction() as tx:
            tx.apps.put(app.consumer_key, app.body)
    return app.body


def __getattr__(name: str) -> object:
    # The web server is slow to import, and only needed by callers that serve.
    if name in ("LocalOrg", "serve"):
        from sfcode.lean_imports import freeze_imports

        with freeze_imports():
            from sfcode.local import server
        globals().update(LocalOrg=server.LocalOrg, serve=server.serve)
        return globals()[name]
    raise AttributeError(name)
