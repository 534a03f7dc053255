"""Rename components and users in place, so that values, assignments and licenses are kept."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sfcode.errors import OrgError, OrgUnreachable
from sfcode.org import Org
from sfcode.org.retry import repeat_once
from sfcode.plan.snapshot import Move


def rename(org: Org, moves: Iterable[Move]) -> None:
    """
    Rename components and users, either all or none. Repeatable.

    Raises:
        OrgError: The org refuses a rename; earlier renames were undone.
        OrgUnreachable: The connection was lost; the next apply continues.

    """
    completed_moves: list[Move] = []
    for move in moves:
        try:
            repeat_once(partial(_rename, org, move))
        except OrgUnreachable:
            raise
        except OrgError as error:
            for earlier in reversed(completed_moves):
                repeat_once(partial(_rename, org, Move(earlier.present, earlier.former)))
            raise OrgError(
                f"{move.former} cannot be renamed to {move.present.full_name}: {error.message}. Nothing was changed.",
                error.hint
                or "Remove the components that refer to it, or remove its line from `moved`: then a new one is created and the old one deleted.",
                code=error.code,
            ) from error
        completed_moves.append(move)


def _rename(org: Org, move: Move) -> None:
    former, present = move.former.full_name, move.present.full_name
    if move.former.type != "User":
        if not _is_renamed(org, move):
            org.metadata.rename_metadata(move.former.type, former, present)
        return
    for row in org.query("SELECT Id FROM User WHERE Username = {}", former):
        org.update("User", str(row["Id"]), {"Username": present})


def _is_renamed(org: Org, move: Move) -> bool:
    names = (move.former.full_name, move.present.full_name)
    addresses = {component.address for component in org.metadata.read_metadata(move.former.type, names)}
    return move.former not in addresses and move.present in addresses
