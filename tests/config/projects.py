"""Small projects on disk, and the problems that `load` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfcode.config import Project, load
from sfcode.errors import ConfigError

NAMES = {"settings": "sfcode.yaml", "events": "events.yaml"}
SETTINGS = """\
version: 1
integration_user: {username: appcues@example.com, email: admin@example.com}
appcues: {account_id: "1"}
relay: {url: https://relay.example.com}
"""
CONTACT = """\
object: Contact
direction: to_appcues
user_id: Key__c
to_appcues:
  attributes:
    role: Title
"""
SENDING = """\
object: Contact
direction: to_salesforce
user_id: Key__c
to_salesforce:
"""
ENVIRONMENTS = """\
environments:
  local: {variables: {host: relay.example.com, Host: x}}
  prod: {}
"""


@dataclass(frozen=True)
class Case:
    """Files that replace those of the valid project, and all expected lines of `load`."""

    title: str
    files: Mapping[str, str | bytes]
    lines: list[str]
    environment: str | None = None

    def check(self, folder: Folder) -> None:
        for name, text in self.files.items():
            folder.write(NAMES.get(name, f"mappings/{name}.yaml"), text)
        assert folder.problems(self.environment) == self.lines


def parametrize_cases(cases: list[Case]) -> pytest.MarkDecorator:
    """Parametrize a test over cases."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.title)


class Folder:
    """A config folder below the current one, filled with a valid project."""

    def __init__(self, root: Path) -> None:
        self.path = root / "config"
        (self.path / "mappings").mkdir(parents=True)
        self.write("sfcode.yaml", SETTINGS)
        self.write("mappings/contact.yaml", CONTACT)

    def write(self, name: str, text: str | bytes) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def load(self, environment: str | None = None) -> Project:
        return load(Path("config"), environment)

    def problems(self, environment: str | None = None) -> list[str]:
        """Load an invalid project, and return the lines that the user sees."""
        with pytest.raises(ConfigError) as caught:
            self.load(environment)
        return str(caught.value).splitlines()
