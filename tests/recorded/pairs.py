"""Read the recorded pairs: requests, the answers of real orgs, and where these were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfcode.config import yaml

FOLDER = Path(__file__).parent
KINDS = ("recorded", "documented", "inferred")
"""Recorded from a real org by somebody, documented by Salesforce, or concluded from either."""


@dataclass(frozen=True)
class RecordedPair:
    """A request and the answer of a real org to it, with made-up records and names."""

    file: str
    name: str
    area: str
    kind: str
    source: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    differs: str = ""
    """Why the local org answers otherwise, where it does."""


def read_pairs(folder: Path = FOLDER) -> list[RecordedPair]:
    """Return all pairs, by file."""
    pairs = []
    for path in sorted(folder.glob("*.yaml")):
        document: Any = yaml.parse(path.read_bytes(), path.name).data
        defaults = document.get("defaults", {})
        pairs += [RecordedPair(file=path.stem, **{**defaults, **pair}) for pair in document["pairs"]]
    return pairs
