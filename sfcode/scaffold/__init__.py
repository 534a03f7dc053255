"""The files that `sfcode init` writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from sfcode import __version__
from sfcode.atomic_write import write_together
from sfcode.config.names import FIELD, make_identity
from sfcode.errors import UsageError
from sfcode.install_source import SourceUnknown, find_install_source
from sfcode.lazy_dataclasses import dataclass

HERE = Path(__file__).parent
OBJECTS = HERE / "objects"
"""The mappings that `--with` adds, one for each object."""
RECIPE_TEXTS = HERE / "recipes"
"""The parts of `recipes.yaml` that `--with` adds, one for each recipe."""
NEEDED_RECIPES = {"nps_by_account": ("nps_history",)}
"""Required recipes by recipe."""
MAPPINGS = "config/mappings/"
TITLE_AS_ROLE = "    role: Title\n"
MAPPED_ROLE = """\
    # Roles for segments in Appcues: job title: role.
    role:
      field: Title
      map:
        VP Sales: sales
        Account Executive: sales
        Customer Success Manager: success
        Administrator: admin
      default: other
"""
"""The attribute that the recipe `role_onboarding` uses instead of the title."""
STANDARD_OBJECTS = {"account": "Account", "contact": "Contact", "lead": "Lead"}
SETTINGS = "config/sfcode.yaml"
OPTIONAL = (".gitignore", "README.md")
"""Files that are kept if the folder already has them."""
ACTION = ".github/actions/sfcode"
"""Folder of the action that installs sfcode in the workflows."""

BRANCH = r"[A-Za-z][A-Za-z0-9._/-]*"
"""Matches branch names that need no quoting in YAML, lists of branches, and expressions."""
PREFIX = r"[A-Z][A-Z0-9_]*"
YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})

_PINNED = """\
# The workflows install the copy of sfcode that wrote this file. You can use a lock file with hashes instead.
sfcode @ {url}
"""
_UNKNOWN = """\
# The workflows install this requirement. The copy of sfcode that wrote this file was not installed from a place that
# others can reach. Replace the last line by a source of sfcode, pinned by a commit or a hash:
#   sfcode @ git+https://HOST/OWNER/sfcode@COMMIT
#   sfcode @ https://HOST/sfcode-{version}-py3-none-any.whl#sha256=HASH
# Never use the bare name: no package index has it, and anyone who registers it there would run code with your org's keys.
!! Replace this line in {file} by a source of sfcode, such as: sfcode @ git+https://HOST/OWNER/sfcode@COMMIT
"""


@dataclass(frozen=True, slots=True)
class WrittenProject:
    """The result of `sfcode init`: written files, existing files that were kept, and warnings."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkflowNames:
    """The names of the branch that is applied, and of the variables for the sign-in to the org."""

    branch: str = "main"
    prefix: str = "PROD"

    def __post_init__(self) -> None:
        """Raise UsageError for a name that workflows cannot use."""
        if not re.fullmatch(BRANCH, self.branch) or self.branch.lower() in YAML_WORDS:
            raise UsageError(
                f"The workflows cannot be written for the branch {self.branch!r}.",
                "Pass --branch with a name of letters, digits and . _ / -, which begins with a letter.",
            )
        if not re.fullmatch(PREFIX, self.prefix) or self.prefix.startswith("GITHUB"):
            raise UsageError(
                f"{self.prefix!r} cannot be in front of the names of secrets.",
                "Pass --prefix with capital letters, digits and _, which begins with a letter and not with GITHUB.",
            )

    def write_into(self, text: str) -> str:
        """Return a shipped text with these names instead of main and PROD."""
        branches = {"[main]": f"[{self.branch}]", "refs/heads/main": f"refs/heads/{self.branch}"}
        words = {f"{before} main": f"{before} {self.branch}" for before in ("branch", "on")}
        prefixes = {"PROD_": f"{self.prefix}_", "env:PROD": f"env:{self.prefix}"}
        for shipped, name in {**branches, **words, **prefixes}.items():
            text = text.replace(shipped, name)
        return text


def render_project(
    extras: Iterable[str] = (), names: WorkflowNames | None = None
) -> tuple[dict[str, str | bytes], tuple[str, ...]]:
    """
    Return the files of a new project by their path in it, and warnings.

    `extras` are objects that are mapped besides Contact (Lead, Account, or custom objects by API name), and recipes.
    """
    names = names or WorkflowNames()
    from sfcode.config.events_file import render_events_file
    from sfcode.config.recipe_models import RECIPES
    from sfcode.config.schema import KINDS, render_json_schema

    extra_names = [*extras]
    recipes = {name.lower() for name in extra_names if name.lower() in RECIPES}
    recipes |= {needed for name in recipes for needed in NEEDED_RECIPES.get(name, ())}

    files: dict[str, str | bytes] = {
        name.removesuffix(".txt"): names.write_into((HERE / name).read_text(encoding="utf-8"))
        for name in _list_shipped()
    }
    settings = str(files[SETTINGS])
    files[SETTINGS] = settings.replace("PROJECT_ID", make_identity())
    files["config/events.yaml"] = render_events_file()
    files |= {f"config/.schema/{kind}.json": render_json_schema(kind) for kind in KINDS}
    files |= _render_mappings(name for name in extra_names if name.lower() not in RECIPES)
    files |= _render_recipes([name for name in RECIPES if name in recipes])
    if "role_onboarding" in recipes:
        for name in [name for name in files if name.startswith(MAPPINGS)]:
            files[name] = str(files[name]).replace(TITLE_AS_ROLE, MAPPED_ROLE)
    requirements, warnings = _render_requirements()
    return files | requirements, warnings


def _render_recipes(names: Iterable[str]) -> dict[str, str | bytes]:
    """Return the text of `recipes.yaml` with these recipes, by its path in the project; an empty mapping without recipes."""
    texts = [(RECIPE_TEXTS / f"{name}.yaml").read_text(encoding="utf-8") for name in names]
    head = "# yaml-language-server: $schema=.schema/recipes.json\n\nversion: 1\n"
    return {"config/recipes.yaml": "\n".join((head, *texts))} if texts else {}


def _render_mappings(objects: Iterable[str]) -> dict[str, str | bytes]:
    """Return mappings for objects without a shipped mapping, by path in the project."""
    mappings: dict[str, str | bytes] = {}
    for name in dict.fromkeys(STANDARD_OBJECTS.get(name.lower(), name) for name in objects):
        if name == "Contact":
            continue
        stem = name.lower()
        if name in STANDARD_OBJECTS.values():
            text = (OBJECTS / f"{stem}.yaml").read_text(encoding="utf-8")
        elif re.fullmatch(FIELD, name) and stem.endswith("__c"):
            text = (OBJECTS / "custom_object.yaml").read_text(encoding="utf-8").replace("OBJECT", name)
            base = stem.removesuffix("__c").replace("__", "_")
            # There may be a custom object Lead__c besides the standard one.
            stem = f"{base}_custom" if base in STANDARD_OBJECTS else base
        else:
            recipes = ", ".join(sorted(path.stem for path in RECIPE_TEXTS.glob("*.yaml")))
            raise UsageError(
                f"There is no mapping to start from for {name!r}.",
                f"Pass contact, lead, account, or the API name of a custom object, such as Subscriber__c; or a recipe: {recipes}.",
            )
        mappings[f"config/mappings/{stem}.yaml"] = text
    return mappings


def _render_requirements() -> tuple[dict[str, str | bytes], tuple[str, ...]]:
    """Return the requirements file of the action, with a local archive if needed, and warnings."""
    name = f"{ACTION}/requirements.txt"
    try:
        source = find_install_source()
    except SourceUnknown as error:
        warning = f"{name} has to be edited before the workflows run: {error}."
        return {name: _UNKNOWN.format(version=__version__, file=name)}, (warning,)
    if source.archive is None:
        return {name: _PINNED.format(url=source.url)}, ()
    # A CI runner cannot reach this machine, so the archive is copied into the repository; pip checks its hash.
    sha256 = source.url.partition("#")[2]
    url = f"file://${{GITHUB_ACTION_PATH}}/{quote(source.archive.name)}#{sha256}"
    return {name: _PINNED.format(url=url), f"{ACTION}/{source.archive.name}": source.archive.read_bytes()}, ()


def write_project(folder: Path, extras: Iterable[str] = (), names: WorkflowNames | None = None) -> WrittenProject:
    """
    Write a new project into a folder, with a mapping for Contact, and with mappings of these objects and these recipes.

    Raises:
        UsageError: An object cannot be mapped, a name cannot be used in the workflows, a file exists already, or the folder is not writable.

    """
    contents, warnings = render_project(extras, names)
    files = {folder / name: content for name, content in contents.items()}
    existing = [path for path in files if path.exists() or path.is_symlink()]
    optional_files = [path for path in existing if str(path.relative_to(folder)) in OPTIONAL]
    if len(existing) > len(optional_files):
        listed = "\n".join(f"  {path}" for path in existing)
        hint = "Nothing was written. Pass an empty folder, or --update to update the workflows of an existing project."
        raise UsageError(f"These files exist already:\n{listed}", hint)
    new = [path for path in files if path not in optional_files]
    try:
        write_together({path: files[path] for path in new})
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be created: {error.strerror}", "Pass another folder.") from error
    return WrittenProject(tuple(new), tuple(optional_files), warnings)


def _list_shipped() -> list[str]:
    paths = (path for path in HERE.rglob("*") if path.is_file() and path.suffix in (".txt", ".yaml", ".yml"))
    return sorted(path.relative_to(HERE).as_posix() for path in paths if not {OBJECTS, RECIPE_TEXTS} & {*path.parents})
