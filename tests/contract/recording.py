"""Recordings of a test run: one file for each test module that is marked, under tests/contract/recordings."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sfcode.local import server
from sfcode.local.context import OrgContext
from tests.contract.recorder import Recorder, remove_polls, save

FOLDER = Path(__file__).with_name("recordings")


@dataclass
class Module:
    """The recordings of one test module."""

    header: dict[str, Any]
    tests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Recordings:
    """The recordings of this run; those of a failed module are dropped."""

    root: Path
    printed: set[str] = field(default_factory=set)
    """The tokens that orgs print when they are served."""
    recorders: list[Recorder] = field(default_factory=list)
    modules: dict[str, Module] = field(default_factory=dict)
    failed: bool = False

    @contextlib.contextmanager
    def record_orgs(self) -> Iterator[None]:
        """Record the requests to every org that is served during the block."""
        make_app = server.make_app

        def recorded(context: OrgContext, *args: Any, **more: Any) -> Recorder:
            with context.store.read() as tx:
                self.printed.add(tx.sessions.lasting_token(tx.settings.get("admin_id") or "") or "")
            self.recorders.append(Recorder(make_app(context, *args, **more)))
            return self.recorders[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(server, "make_app", recorded)
            yield

    @contextlib.contextmanager
    def of(self, node: pytest.Item, client: str, state: str, *, shared: bool = False) -> Iterator[None]:
        """Record the requests of a test; `shared` if all tests of the module use one org."""
        before = {id(recorder): len(recorder.exchanges) for recorder in self.recorders}
        yield
        new = [
            exchange for recorder in self.recorders for exchange in recorder.exchanges[before.get(id(recorder), 0) :]
        ]
        header = {"client": {"name": client, "version": version(self.root, client)}, "state": state, "shared": shared}
        module = self.modules.setdefault(node.path.stem.removeprefix("test_"), Module(header))
        exchanges = remove_polls(new)
        if exchanges:
            module.tests[node.name] = exchanges
        self.failed |= node.session.testsfailed > 0

    def save(self) -> None:
        """Write the files."""
        if not self.failed:
            for name, module in self.modules.items():
                save(FOLDER / f"{name}.jsonl", module.header, module.tests, self.printed)


def version(root: Path, client: str) -> str:
    """Return the version of a client that the tests run."""
    npm = json.loads((root / "requirements" / "node" / "package.json").read_bytes())["dependencies"]
    if client in npm:
        return str(npm[client])
    lock = (root / "requirements" / "cci.in").read_text(encoding="utf-8")
    locked = re.search(rf"^{re.escape(client)}==(\S+)", lock, re.MULTILINE)
    return locked[1] if locked else importlib.metadata.version(client)
