"""The results of a GitHub workflow step: outputs, summary, annotations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from sfcode.diagnostics import Position
from sfcode.lazy_dataclasses import dataclass
from sfcode.text import spell_out

SUMMARY_LIMIT = 1_000_000
"""The maximum size of a summary in bytes. GitHub accepts 1,048,576 per step, in which several commands may run."""


@dataclass(frozen=True)
class Step:
    """The files that the runner provides for this step; None for a missing one."""

    outputs: Path | None
    summary: Path | None
    workspace: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Step | None:
        """Return the step of this process; None outside GitHub's workflows."""
        if environ.get("GITHUB_ACTIONS") != "true":
            return None
        outputs, summary = (environ.get(name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
        return cls(
            Path(outputs) if outputs else None, Path(summary) if summary else None, environ.get("GITHUB_WORKSPACE", "")
        )

    def write_outputs(self, values: Mapping[str, str]) -> None:
        """Write outputs. If several have the same name, the last one counts."""
        if self.outputs:
            with self.outputs.open("a", encoding="utf-8") as stream:
                for name, value in values.items():
                    # A delimiter that cannot be guessed, so that a value cannot set another output.
                    end = f"end-{secrets.token_hex(16)}"
                    stream.write(f"{name}<<{end}\n{value}\n{end}\n")

    def write_summary(self, text: str) -> None:
        """Append Markdown to the summary on the run's page."""
        if self.summary:
            data = spell_out(text).encode()[:SUMMARY_LIMIT].decode(errors="ignore")
            with self.summary.open("a", encoding="utf-8") as stream:
                stream.write(f"{data.rstrip()}\n\n")

    def annotation(self, level: str, message: str, position: Position | None = None, title: str = "") -> str:
        """
        Return the workflow command that shows a message beside a line of a file.

        `level` is error, warning or notice. See
        https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
        """
        about = {}
        if position:
            about = {"file": self._in_workspace(position.file), "line": str(position.line), "col": str(position.column)}
        if title:
            about["title"] = title
        properties = ",".join(f"{name}={_escape(value, ':,')}" for name, value in about.items())
        return f"::{level}{' ' if properties else ''}{properties}::{_escape(message)}"

    def _in_workspace(self, file: str) -> str:
        """Return a file's path relative to the repository."""
        if not self.workspace:
            return file
        path = os.path.relpath(Path.cwd() / file, self.workspace)
        return file if path.startswith("..") else Path(path).as_posix()


def _escape(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
