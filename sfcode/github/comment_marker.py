"""The hidden first line by which a comment or an issue of ours is found again, and what it was about."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

_LINE = re.compile(r"<!-- sfcode (\{.*\}) -->")


@dataclass(frozen=True)
class Marker:
    """What a text of ours is about; `head` and `plan` say of which commit, and which changes it shows."""

    kind: str
    config: str
    environment: str
    head: str = ""
    plan: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes two texts the same one: one comment for each config folder and environment."""
        return (self.kind, self.config, self.environment)

    def line(self) -> str:
        """Write the marker; nothing in it can end the comment early."""
        text = json.dumps(asdict(self), sort_keys=True).replace(">", "\\u003e").replace("--", "-\\u002d")
        return f"<!-- sfcode {text} -->"


def comment_marker(config: Path, environment: str, *, head: str = "", plan: str = "") -> Marker:
    """Mark the comment about a config folder and an environment; an empty name stands for all environments."""
    return Marker("comment", config.as_posix(), environment, head, plan)


def read_marker(body: str | None) -> Marker | None:
    """Read the first line of a text. Only that: the rest quotes a config that anybody may have written."""
    found = _LINE.fullmatch((body or "").split("\n", 1)[0].rstrip("\r"))
    if not found:
        return None
    try:
        values = json.loads(found[1])
        return Marker(**{name: str(value) for name, value in values.items()})
    except (ValueError, TypeError, AttributeError):
        return None
