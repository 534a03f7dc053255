"""What an org has checked with tests, so that it may deploy it later without running them again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Validation:
    """A check of a plan's package that ran Apex tests; the org keeps the package for ten days."""

    id: str
    """Of the deployment that only checked."""
    package: str
    """Digest of the package that was checked, secrets as placeholders."""
    test_level: str | None
    tests: tuple[str, ...]
    apply_id: str
    by: str
    at: str
    revision: str | None
    """What the applied state in that package says of the apply; it cannot be written again without another check."""
