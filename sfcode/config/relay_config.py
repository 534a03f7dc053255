"""The part of a project's config that a running relay uses, and its digest."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sfcode.config.project import Project
from sfcode.mapping.targets import TARGET_VALUES

if TYPE_CHECKING:
    from sfcode.metadata.component import Body

DIGEST_LENGTH = 12
"""The number of hexadecimal digits of a digest, enough to distinguish configs of a project."""


def _nest(paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """Return the paths as nested dictionaries that end in True."""
    tree: dict[str, Any] = {}
    for *parents, last in paths:
        functools.reduce(lambda branch, key: branch.setdefault(key, {}), parents, tree)[last] = True
    return tree


_NOT_OF_RELAY = {"url", "sign_in"}
"""Keys of `relay` that only concern the org."""
_MAPPING_NOT_OF_RELAY: Any = {
    "replaces": True,
    "to_appcues": {"on": True, "trigger": True},
    "to_salesforce": _nest((*value.path, "create") for value in TARGET_VALUES),
}
"""Keys of a mapping that only concern the org."""


_RECIPES_NOT_OF_RELAY: Any = {
    "version": True,
    "reports": True,
    "nps_by_account": True,
    "completed_flows": {"not_completed": True},
    "role_onboarding": True,
    "event_registration": {"__all__": {"campaign": {"create": True}}},
}
"""Keys of recipes that only concern the org."""


def render_relay_config(project: Project) -> Body | None:
    """
    Return the relay config as JSON values with secrets as placeholders; None if no mapping uses the relay.

    Settings with default values are left out, so that a version of sfcode with more settings gives the same config.
    """
    mappings: dict[str, Any] = {
        mapping.name: mapping.spec.model_dump(
            mode="json", by_alias=True, exclude=_MAPPING_NOT_OF_RELAY, exclude_defaults=True
        )
        for mapping in project.mappings
        if mapping.spec.delivery == "relay"
    }
    if not mappings:
        return None
    settings = project.settings
    former = settings.moved.mappings
    recipes = project.recipes.model_dump(
        mode="json", by_alias=True, exclude=_RECIPES_NOT_OF_RELAY, exclude_defaults=True
    )
    return {
        **({"moved": {"mappings": dict(former)}} if former else {}),
        "name": settings.name,
        "salesforce": settings.salesforce.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "appcues": settings.appcues.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "relay": settings.relay.model_dump(mode="json", by_alias=True, exclude=_NOT_OF_RELAY, exclude_defaults=True),
        "mappings": mappings,
        "events": project.events.model_dump(mode="json", by_alias=True, exclude={"version"}),
        **({"recipes": recipes} if recipes else {}),
    }


def digest_relay_config(config: Body | None) -> str:
    """Return the short SHA-256 of a relay's config; "" for none."""
    if config is None:
        return ""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGEST_LENGTH]
