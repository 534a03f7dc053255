"""From an org to a config that is checked, and to the plan that it makes there."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sfcode.config import Project, load
from sfcode.errors import ConfigError, Refused
from sfcode.importing.answers import Options
from sfcode.importing.decide import choose
from sfcode.importing.proposal import Draft
from sfcode.importing.scan import read
from sfcode.importing.scan_result import Found
from sfcode.importing.write import files
from sfcode.org import Org
from sfcode.plan.plan import Plan
from sfcode.plan.planner import make_plan


@dataclass(frozen=True)
class Brought:
    """What was found and chosen, the files, and what an apply of them would do."""

    found: Found
    draft: Draft
    texts: Mapping[str, str]
    plan: Plan


def bring(org: Org, options: Options, folder: Path) -> Brought:
    """
    Read an org and write its config, in memory.

    `folder` is where the config will lie. Raises Refused with what the org does not settle, or when the
    config cannot be right.
    """
    found = read(org, options)
    draft = choose(found, options)
    texts = files(found, draft, options)
    try:
        plan = make_plan(_checked(texts, folder), org, {}).plan
    except ConfigError as error:
        listed = "".join(f"\n  - {problem}" for problem in error.problems)
        raise Refused(
            f"What was found and chosen makes no config that can be applied; nothing was written:{listed}",
            "Choose otherwise by the options; `sfcode import --help` lists them.",
        ) from error
    return Brought(found, draft, texts, plan)


def _checked(texts: Mapping[str, str], folder: Path) -> Project:
    """Load the files as if they lay where they will."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made) / "config"
        for name, text in texts.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        project = load(place, name=folder)
    root = folder.resolve().parent
    templates = root / "templates" / "metadata"
    return replace(project, root=root, templates=templates if templates.is_dir() else None)
