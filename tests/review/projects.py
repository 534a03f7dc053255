"""A small project, changed in many ways, and real git repositories that hold it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from sfcode.checks.snapshot import Folder, Snapshot, take_snapshot
from sfcode.config import load
from sfcode.generate import generate
from sfcode.review.model import ReviewReport
from sfcode.review.review import review

SETTINGS = """\
version: 1
name: Appcues
integration_user:
  username: appcues@example.com
  email: admin@example.com
appcues:
  account_id: "1"
relay:
  url: https://relay.example.com
environments:
  prod:
    org: env:PROD
"""
CONTACT = """\
object: Contact
user_id: {field: Appcues_User_Id__c, from: Product_User_Id__c}
to_appcues:
  attributes:
    role: Title
    plan: Plan__c
to_salesforce:
  nps:
    score: {field: Appcues_NPS_Score__c, create: true}
  activities: [nps_score, flow_completed]
  click_to_track: [Clicked Upgrade]
"""
LEAD = """\
object: Lead
user_id: {field: Appcues_User_Id__c, from: Product_User_Id__c}
to_appcues:
  attributes:
    plan: Plan__c
to_salesforce:
  nps:
    score: {field: Appcues_NPS_Score__c, create: true}
"""
FILES = {"config/sfcode.yaml": SETTINGS, "config/mappings/contact.yaml": CONTACT, "config/mappings/lead.yaml": LEAD}
SHORT = {
    "settings": "config/sfcode.yaml",
    "contact": "config/mappings/contact.yaml",
    "lead": "config/mappings/lead.yaml",
}

Files = Mapping[str, str]
Edit = tuple[str, str, str]
"""The short name of a file, a part of its text, and the replacement."""


def edited(files: Files, *edits: Edit) -> dict[str, str]:
    """Replace parts of files, each of which must occur exactly once."""
    changed = dict(files)
    for short, old, new in edits:
        name = SHORT.get(short, short)
        assert changed[name].count(old) == 1, (name, old)
        changed[name] = changed[name].replace(old, new)
    return changed


def write(root: Path, files: Files) -> Path:
    """Write files below a folder, and return the config folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "config"


def load_snapshot(root: Path, files: Files, environment: str | None = "prod") -> Snapshot:
    """Take a snapshot of a project, with positions as if its folder were the current one."""
    folder = Folder(write(root, files), Path("config"))
    return take_snapshot(load(folder.path, environment, name=folder.name), folder, generate)


def reviewed(root: Path, before: Files | None, after: Files) -> ReviewReport:
    """Review one environment of two projects, without git."""
    base = {"prod": load_snapshot(root / "before", before)} if before is not None else {}
    return review(base, {"prod": load_snapshot(root / "after", after)}, base_environments=("prod",) if base else ())


def list_texts(report: ReviewReport) -> list[str]:
    """Return the statements in the order of a report, each with its risk."""
    return [
        f"{statement.risk.word}: {statement.text}" for _, inside in report.group_statements() for statement in inside
    ]


class Repository:
    """A git repository in its own folder."""

    def __init__(self, root: Path, *, bare: bool = False) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *(["--bare"] if bare else []))

    def git(self, *words: str) -> str:
        process = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=True)
        return process.stdout.strip()

    def commit(self, files: Files, *removed_names: str, message: str = "change") -> str:
        """Write files, delete others, and commit everything."""
        write(self.root, files)
        for name in removed_names:
            (self.root / name).unlink()
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
