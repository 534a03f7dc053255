"""A project in a temporary folder, and the `sfcode` command run on it as a user would."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sfcode.cli.main import main
from tests.json_output import check_output, check_relay_output
from tests.programs import Program

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s3cr3t-outbound-0123456789abcdef"
ENVIRON = {"SFCODE_RELAY_OUTBOUND_SECRET": SECRET, "SFCODE_ENV": "local"}


@dataclass(frozen=True)
class Result:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str
    words: tuple[str, ...] = ()
    """The arguments of `sfcode`."""

    @property
    def json(self) -> Any:
        document = json.loads(self.out)
        check_output(document)
        if "relay" in self.words[:-1] and self.words[0].startswith("--"):
            place = self.words.index("relay")
            if self.words[place - 1] != "app":  # in `local app relay`, relay is the name of an app
                check_relay_output(self.words[place + 1], document)
        return document

    @property
    def last_line(self) -> str:
        return self.out.rstrip().rpartition("\n")[2]


@dataclass
class Journey:
    """A copy of the repository's own config, which a test may edit."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRON))

    @classmethod
    def start(cls, folder: Path) -> Journey:
        shutil.copytree(ROOT / "config", folder / "config")
        return cls(folder)

    def run(self, *words: str, stdin: str = "") -> Result:
        """Run `sfcode` in this process, without its start-up code."""
        out, err = io.StringIO(), io.StringIO()
        code = 0
        before = Path.cwd()
        saved = dict(os.environ)
        os.environ.update(self.environ)
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _stdin(stdin):
                main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(saved)
        return Result(code, out.getvalue(), err.getvalue(), words)

    def command(self, *words: str) -> tuple[list[str], dict[str, Any]]:
        """Return the arguments with which subprocess runs `sfcode` as a program."""
        argv = [sys.executable, "-m", "sfcode.cli.main", *words]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        return argv, {"cwd": self.folder, "env": {**os.environ, **self.environ, "PYTHONPATH": path}}

    def spawn(self, *words: str, **streams: Any) -> Program:
        """Start `sfcode` as a program, with pipes for its output unless other streams are passed."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return Program(words, cwd=self.folder, env={**os.environ, **self.environ}, **streams)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of the config, which must contain it."""
        path = self.folder / "config" / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def plan(self, *words: str) -> Result:
        return self.run("plan", *words)

    def apply(self, *words: str) -> Result:
        return self.run("apply", "--auto-approve", *words)

    def actions(self) -> dict[str, str]:
        """Return the actions of a plan by address, without unchanged ones."""
        document = self.run("plan", "--format", "json").json
        actions_by_address = {
            change["address"]: change["change"]["actions"][0] for change in document["resource_changes"]
        }
        return {address: action for address, action in actions_by_address.items() if action != "no-op"}


@contextlib.contextmanager
def _stdin(text: str) -> Any:
    saved = sys.stdin
    sys.stdin = io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = saved
