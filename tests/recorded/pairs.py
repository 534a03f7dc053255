"""Read the recorded pairs of requests and answers of real orgs, with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfcode.config import yaml

FOLDER = Path(__file__).parent
KINDS = ("recorded", "documented", "inferred")
"""
`recorded`: recorded from a real org by somebody. `documented`: documented by Salesforce. `inferred`: concluded from one
of these.
"""


@dataclass(frozen=True)
class RecordedPair:
    """A request and the answer of a real org to it, with invented records and names."""

    file: str
    name: str
    area: str
    kind: str
    source: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    differs: str = ""
    """Why the local org answers differently; "" if it does not."""


def read_pairs(folder: Path = FOLDER) -> list[RecordedPair]:
    """Return all pairs, by file."""
    pairs = []
    for path in sorted(folder.glob("*.yaml")):
        document: Any = yaml.parse(path.read_bytes(), path.name).data
        defaults = document.get("defaults", {})
        pairs += [RecordedPair(file=path.stem, **{**defaults, **pair}) for pair in document["pairs"]]
    return pairs
