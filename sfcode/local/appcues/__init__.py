"""
The local Appcues: an emulator of Appcues' HTTP API on this machine, which sends webhooks too.

It replaces an account in tests and in the demo. Its state is one SQLite file in a folder, which is the local org's
folder if both are served together.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfcode.local.appcues.values import ACCOUNT_ID, API_KEY, API_SECRET, STATE_FILE, LocalAppcues

if TYPE_CHECKING:
    from sfcode.local.appcues.server import serve_appcues

__all__ = ["ACCOUNT_ID", "API_KEY", "API_SECRET", "LocalAppcues", "reset", "serve_appcues"]


def reset(state: Path) -> None:
    """Delete the data of the account in a folder, if there is one."""
    if not (state / STATE_FILE).exists():
        return
    from sfcode.local.appcues.state import AccountState

    with AccountState(state / STATE_FILE) as account:
        account.clear()


def __getattr__(name: str) -> object:
    if name == "serve_appcues":
        from sfcode.local.appcues.server import serve_appcues

        return serve_appcues
    raise AttributeError(name)
