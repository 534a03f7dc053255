"""Import an org: scan it, propose a config, render its files, and plan."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from sfcode.config import Project, load
from sfcode.config.files import EVENTS, MAPPINGS, RECIPES
from sfcode.config.load import find_templates, project_root
from sfcode.errors import ConfigError, Refused
from sfcode.importing.answers import ImportOptions
from sfcode.importing.decide import propose_config
from sfcode.importing.proposal import ConfigProposal
from sfcode.importing.scan import scan_org
from sfcode.importing.scan_result import ScanResult
from sfcode.importing.write import render_files
from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.org import Org
from sfcode.plan.plan import Plan
from sfcode.plan.planner import make_plan


@dataclass(frozen=True)
class ImportResult:
    """The scan, the proposed config, its files, and their plan."""

    found: ScanResult
    draft: ConfigProposal
    texts: Mapping[str, str]
    plan: Plan


def import_org(org: Org, options: ImportOptions, folder: Path) -> ImportResult:
    """
    Read an org and render a config for it, in memory.

    `folder` is where the config will be written.

    Raises:
        Refused: Options are missing for open questions, or the config has problems.

    """
    scan = scan_org(org, options)
    options = options.spell_as(scan.fields, scan.sets)
    draft = propose_config(scan, options)
    texts = render_files(scan, draft, options)
    try:
        plan = make_plan(_load_project(texts, folder), org, {}).plan
    except ConfigError as error:
        listed = "".join(f"\n  - {problem}" for problem in error.problems)
        raise Refused(
            f"The config that follows from the org and the options has problems; nothing was written:{listed}",
            "Pass other options; `sfcode import --help` lists them.",
        ) from error
    return ImportResult(scan, draft, texts, plan)


def _load_project(texts: Mapping[str, str], folder: Path) -> Project:
    """
    Load the rendered files as if they were in their folder, together with the existing files that remain there.

    If the config is not valid with the existing files, they are left out; `sfcode validate` reports their problems.
    """
    kept_paths = [folder / EVENTS, folder / RECIPES, *sorted((folder / MAPPINGS).glob("*.yaml"))]
    kept_files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept_paths if path.is_file()}
    new_files = {name: text.encode() for name, text in texts.items()}
    try:
        project = _load_files({**kept_files, **new_files}, folder)
    except ConfigError:
        project = _load_files(new_files, folder)
    return replace(project, root=project_root(folder), templates=find_templates(folder))


def _load_files(files: Mapping[str, bytes], folder: Path) -> Project:
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "config"
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return load(place, name=folder)
