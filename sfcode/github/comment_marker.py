"""The hidden first line that identifies a comment or issue of sfcode."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sfcode.lazy_dataclasses import asdict, dataclass

_LINE = re.compile(r"<!-- sfcode (\{.*\}) -->")


@dataclass(frozen=True)
class Marker:
    """The content of a marker; `head` is the commit and `plan` the digest of the changes in the text."""

    kind: str
    config: str
    environment: str
    head: str = ""
    plan: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """The identity of the comment, which is unique per config folder and environment."""
        return (self.kind, self.config, self.environment)

    def line(self) -> str:
        """Render the marker; its content cannot end the HTML comment."""
        text = json.dumps(asdict(self), sort_keys=True).replace(">", "\\u003e").replace("--", "-\\u002d")
        return f"<!-- sfcode {text} -->"


def comment_marker(config: Path, environment: str, *, head: str = "", plan: str = "") -> Marker:
    """Return the marker of a config folder and an environment; an empty name means all environments."""
    return Marker("comment", config.as_posix(), environment, head, plan)


def read_marker(body: str | None) -> Marker | None:
    """Parse the first line of a text only, since the rest may quote a config, whose author is not trusted."""
    match = _LINE.fullmatch((body or "").split("\n", 1)[0].rstrip("\r"))
    if not match:
        return None
    try:
        values = json.loads(match[1])
        return Marker(**{name: str(value) for name, value in values.items()})
    except (ValueError, TypeError, AttributeError):
        return None
