"""An applied project and its org, in which a test causes one fault before doctor runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sfcode.checks.doctor import collect_facts, examine
from sfcode.config import load
from sfcode.diagnostics import Diagnostic, Level
from sfcode.local import LocalOrg, serve
from sfcode.local.sobjects.sharing import set_model
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from sfcode.org import Org, connect
from tests.e2e.clicked import pair
from tests.e2e.org import deploy
from tests.waiting import PATIENCE

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
USERNAME = "appcues.integration@example.com.local"


@dataclass(frozen=True)
class Clinic:
    """A copy of the applied project."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / ".sfcode" / "local-org"

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of the config, which must contain it."""
        path = self.folder / "config" / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def forget(self) -> None:
        """Start with an org without any apply."""
        shutil.rmtree(self.state)

    @contextmanager
    def org(self) -> Iterator[tuple[LocalOrg, Org]]:
        with (
            serve(self.state) as local,
            connect(local.url, environ={"SF_ACCESS_TOKEN": local.access_token}, api_version="63.0") as org,
        ):
            yield local, org

    def run_doctor(self, *, as_user: str = "", environ: Mapping[str, str] | None = None) -> tuple[Diagnostic, ...]:
        """Run doctor, optionally with a second sign-in."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            project = load(Path("config"), "local")
        finally:
            os.chdir(before)
        version = project.settings.salesforce.api_version
        with serve(self.state) as local:
            admin_environ = {"SF_ACCESS_TOKEN": local.access_token}
            with connect(local.url, environ=admin_environ, api_version=version) as org:
                if not as_user:
                    return examine(project, collect_facts(project, org, None, environ or {}))
                user_environ = {"SF_ACCESS_TOKEN": token(local, as_user)}
                with connect(local.url, environ=user_environ, api_version=version) as another:
                    return examine(project, collect_facts(project, org, another, environ or {}))

    # Faults of an org.

    def set_relay_url(self, url: str) -> None:
        path = self.folder / "config" / "sfcode.yaml"
        text, count = re.subn("(?m)^( +relay_url: ).*", rf"\g<1>{url}", path.read_text(encoding="utf-8"), count=1)
        assert count == 1
        path.write_text(text, encoding="utf-8")

    def change_user(self, **values: Any) -> None:
        with self.org() as (_, org):
            org.update("User", self._user(org), values)

    def set_profile(self, name: str) -> None:
        with self.org() as (_, org):
            (profile,) = org.query("SELECT Id FROM Profile WHERE Name = {}", name)
            org.update("User", self._user(org), {"ProfileId": profile["Id"]})

    def unassign(self, sobject: str) -> None:
        with self.org() as (_, org):
            for row in org.query(f"SELECT Id FROM {sobject} WHERE Assignee.Username = {{}}", USERNAME):
                org.delete(sobject, row["Id"])

    def set_records(self, sobject: str, **values: Any) -> None:
        with self.org() as (_, org):
            for row in org.query(f"SELECT Id FROM {sobject}"):
                org.update(sobject, row["Id"], values)

    def remove_permissions(self, *permissions: str) -> None:
        """Remove user permissions from the administrator."""
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            stored = tx.components.get("Profile", "Admin")
            assert stored is not None
            body: dict[str, Any] = dict(stored.component.body)
            body["userPermissions"] = {k: v for k, v in body["userPermissions"].items() if k not in permissions}
            tx.components.put(Component("Profile", "Admin", body), user_id="u", now=NOON)

    def change_setup_row(self, sobject: str, conditions: Mapping[str, Any], **values: Any) -> None:
        """Change rows that no API can change."""
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            matching_rows = [
                row
                for row in tx.records.list_all(sobject)
                if all(row[name] == expected for name, expected in conditions.items())
            ]
            assert matching_rows
            for row in matching_rows:
                tx.records.update(sobject, str(row["Id"]), values, user_id="u", now=NOON)

    def connect_appcues(self) -> None:
        """Create the message and rule of Appcues' own connector."""
        with self.org() as (local, _):
            deploy(local, *pair(user=USERNAME))

    def require_field(self, full_name: str) -> None:
        """Make a custom text field of another project required."""
        body = {"label": "Outcome", "type": "Text", "length": 80, "required": True}
        with self.org() as (local, _):
            deploy(local, Component("CustomField", full_name, body))

    def share(self, sobject: str, model: str) -> None:
        with Store(self.state / "org.db") as store, store.transaction() as tx:
            set_model(tx, sobject, model)

    @staticmethod
    def _user(org: Org) -> str:
        (user,) = org.query("SELECT Id FROM User WHERE Username = {}", USERNAME)
        return str(user["Id"])


def token(local: LocalOrg, username: str) -> str:
    """Sign in as another user."""
    answer = requests.post(
        f"{local.url}/services/sfcode/tokens",
        json={"username": username},
        headers={"Authorization": f"Bearer {local.access_token}"},
        timeout=PATIENCE,
    )
    return str(answer.json()["access_token"])


def levels(findings: tuple[Diagnostic, ...], id: str) -> set[Level]:
    """Return the levels of the findings with an ID."""
    return {finding.level for finding in findings if finding.rule == id}


def find_only(findings: tuple[Diagnostic, ...], id: str, level: Level) -> Diagnostic:
    """Return the only finding with an ID and a level."""
    (finding,) = (candidate for candidate in findings if candidate.rule == id and candidate.level is level)
    return finding
