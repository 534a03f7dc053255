"""The options of an import."""

from __future__ import annotations

from typing import Literal

from sfcode.config.names import make_identity
from sfcode.lazy_dataclasses import dataclass, field

NONE = "none"
"""The value of an option that means no field."""

Way = Literal["both", "to_appcues", "to_salesforce"]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """
    Answers to questions that the org leaves open; None or empty if not passed.

    A field is `Field`, for every object, or `Object.Field`.
    """

    objects: tuple[str, ...] = ()
    user_id: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    """Pairs of an attribute in Appcues and a field."""
    nps_score: tuple[str, ...] = ()
    nps_feedback: tuple[str, ...] = ()
    direction: Way | None = None
    user: str | None = None
    permission_set: str | None = None
    name: str = "Appcues"
    identity: str = field(default_factory=make_identity)
    """The `id` of the project."""
    account: str | None = None
    region: Literal["us", "eu"] = "us"
    relay_url: str | None = None
    environment: str | None = None
    org: str = ""
    """The value of `org` in the environment."""

    def field(self, names: tuple[str, ...], object_name: str) -> str | None:
        """Return the field that was passed for an object: `Object.Field` before a plain `Field`."""
        qualified = [name.partition(".")[2] for name in names if name.startswith(f"{object_name}.")]
        plain = [name for name in names if "." not in name]
        return next(iter((*qualified, *plain)), None)
