"""
The applied state: the components of the last apply, stored in the org.

It is a static resource that is deployed in the same transaction as the components, so that it always matches them.
It holds canonical bodies with placeholders for secrets.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sfcode.errors import OrgError
from sfcode.metadata.component import Address, Body, Component

FORMAT_VERSION = 1

STATE_SUFFIX = "_sfcode_state"
"""What the names of states end with, after the identity of their project."""

STATE_DESCRIPTION = "What sfcode last applied here. Written by sfcode apply; do not edit."


HISTORY = 5
"""How many applies can be rolled back."""


@dataclass(frozen=True)
class Past:
    """One apply, and the bodies that it replaced; None for a missing one."""

    id: str
    applied_at: str
    applied_by: str
    revision: str | None
    before: Mapping[Address, Body | None]
    owned: frozenset[Address]
    """Addresses that were managed before the apply."""
    drifted: frozenset[Address] = frozenset()
    """Addresses that had drifted; `before` has their bodies as the previous apply left them."""
    moves: Mapping[Address, Address] = field(default_factory=dict)
    """Former addresses of what the apply renamed in place, by present address."""
    project: str | None = None
    """The name of the project before it."""


@dataclass(frozen=True)
class Applied:
    """The bodies of the last apply by address, and its author."""

    components: Mapping[Address, Body] = field(default_factory=dict)
    project: str | None = None
    """The name of the project; None in a state of an older version."""
    revision: str | None = None
    """The git commit of the config, where there was one."""
    applied_by: str | None = None
    applied_at: str | None = None
    """UTC, ISO 8601."""
    config_digest: str | None = None
    """Of the config that was applied."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Keyed fingerprints of the secrets that were put in, by name."""
    history: tuple[Past, ...] = ()
    """The last applies, newest first."""
    org_id: str | None = None
    """Where it was applied: a sandbox holds the state of the org that it was copied from."""
    records: Mapping[Address, Body] = field(default_factory=dict)
    """Managed records: those that applies made or adopted, and those that an apply was about to make."""
    renaming: tuple[tuple[Address, Address], ...] = ()
    """What an apply is about to rename, in its order: the former address, under which it is listed here, and the present one."""
    told: tuple[str, ...] = ()
    """Digests of the manual steps that applies have printed."""
    relay: Body | None = None
    """The config of the relay that was applied; None where nothing went through it."""

    def created_at(self, address: Address) -> str | None:
        """Return when an apply last created an address: UTC, ISO 8601; None where the history does not know."""
        times = (past.applied_at for past in self.history if address in past.before and past.before[address] is None)
        time = next(times, None)
        return time if time and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) else None

    def addresses(self) -> set[Address]:
        """Return the addresses of all managed components and records."""
        return {*self.components, *self.records}

    def listed(self) -> tuple[Component, ...]:
        """Return the managed components, sorted by address."""
        return tuple(
            Component(address.type, address.full_name, body) for address, body in sorted(self.components.items())
        )


def state_address(identity: str) -> Address:
    """Return the address of the state of a project, by its identity."""
    return Address("StaticResource", f"{identity}{STATE_SUFFIX}")


def state_identity(address: Address) -> str:
    """Return the identity of the project whose state is at an address."""
    return address.full_name.removesuffix(STATE_SUFFIX)


def state_text(applied: Applied) -> str:
    """Format the state as the text that the static resource holds."""
    content = {
        "format_version": FORMAT_VERSION,
        "project": applied.project,
        "revision": applied.revision,
        "applied_by": applied.applied_by,
        "applied_at": applied.applied_at,
        "config_digest": applied.config_digest,
        "org_id": applied.org_id,
        "secrets": dict(applied.secrets),
        "renaming": [[str(former), str(present)] for former, present in applied.renaming],
        "told": sorted(applied.told),
        "relay": dict(applied.relay) if applied.relay is not None else None,
        "records": {str(address): dict(body) for address, body in sorted(applied.records.items())},
        "components": {str(address): dict(body) for address, body in sorted(applied.components.items())},
        "history": [_past(past) for past in applied.history[:HISTORY]],
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def to_component(address: Address, applied: Applied) -> Component:
    """Convert the state to the static resource at an address."""
    return Component(
        address.type,
        address.full_name,
        {
            "cacheControl": "Private",
            "content": base64.b64encode(state_text(applied).encode()).decode("ascii"),
            "contentType": "application/json",
            "description": STATE_DESCRIPTION,
        },
    )


def from_component(component: Component | None) -> Applied:
    """Parse the state; empty if there is none. Raises OrgError if it is unreadable."""
    if component is None:
        return Applied()
    try:
        content = json.loads(base64.b64decode(str(component.body.get("content", "")), validate=True))
        if content["format_version"] != FORMAT_VERSION:
            raise OrgError(
                f"{component.address} has format {content['format_version']}, this sfcode reads {FORMAT_VERSION}",
                "Use the sfcode version that wrote it, or a newer one.",
            )
        return Applied(
            components={Address.parse(key): body for key, body in content["components"].items()},
            project=content.get("project"),
            revision=content["revision"],
            applied_by=content["applied_by"],
            applied_at=content["applied_at"],
            config_digest=content["config_digest"],
            secrets=content["secrets"],
            history=tuple(_read_past(past) for past in content["history"]),
            org_id=content.get("org_id"),
            records={Address.parse(key): body for key, body in content.get("records", {}).items()},
            renaming=tuple(
                (Address.parse(former), Address.parse(present)) for former, present in content.get("renaming", ())
            ),
            told=tuple(content.get("told", ())),
            relay=content.get("relay"),
        )
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OrgError(
            f"{component.address} does not hold sfcode's state ({type(error).__name__})",
            "It was overwritten. Delete that static resource; `sfcode plan --adopt-managed` then finds what it listed.",
        ) from error


def _past(past: Past) -> dict[str, Any]:
    return {
        "id": past.id,
        "applied_at": past.applied_at,
        "applied_by": past.applied_by,
        "revision": past.revision,
        "before": {str(address): body and dict(body) for address, body in sorted(past.before.items())},
        "owned": sorted(str(address) for address in past.owned),
        "drifted": sorted(str(address) for address in past.drifted),
        "moves": {str(present): str(former) for present, former in sorted(past.moves.items())},
        "project": past.project,
    }


def _read_past(content: dict[str, Any]) -> Past:
    return Past(
        id=content["id"],
        applied_at=content["applied_at"],
        applied_by=content["applied_by"],
        revision=content["revision"],
        before={Address.parse(address): body for address, body in content["before"].items()},
        owned=frozenset(Address.parse(address) for address in content["owned"]),
        drifted=frozenset(Address.parse(address) for address in content.get("drifted", ())),
        moves={Address.parse(present): Address.parse(former) for present, former in content.get("moves", {}).items()},
        project=content.get("project"),
    )
