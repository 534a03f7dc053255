"""Load a project: read, interpolate, validate, apply the rules; report all problems in one run."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from sfcode.config.base import Model
from sfcode.config.did_you_mean import format_choices
from sfcode.config.document import Document, PathProblem
from sfcode.config.event_models import Events
from sfcode.config.events_file import default_events
from sfcode.config.files import Files, read_files, shipped_templates
from sfcode.config.interpolate import Scope, environment_scope, interpolate
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Environment, Settings
from sfcode.config.names import DEVELOPER, WORDS
from sfcode.config.overrides import apply_overrides
from sfcode.config.project import NamedMapping, Project, SecretRef
from sfcode.config.recipe_models import NO_RECIPES, Recipes
from sfcode.config.rules.events import check_events, warn_about_events
from sfcode.config.rules.mapping import check_mapping, warn_about_mapping
from sfcode.config.rules.project import Draft, check_mappings, warn_about_mappings
from sfcode.config.rules.recipes import check_recipes
from sfcode.config.rules.roles import check_roles
from sfcode.config.rules.settings import check_settings, warn_about_settings
from sfcode.config.validate import validate
from sfcode.diagnostics import Diagnostic, Position
from sfcode.errors import ConfigError
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.mapping.place import ConfigPath

M = TypeVar("M", bound=Model)

DEFAULT_ENVIRONMENT = "default"
"""The name of the environment of a project without environments."""


def load(folder: Path, environment: str | None = None, *, name: Path | None = None) -> Project:
    """
    Load the project of a config folder for one environment.

    `name` is the name of the folder in positions and messages, if it differs from its path. Raises
    ConfigError with all problems.
    """
    files = read_files(folder, name)
    loader = _Loader(files, problems=files.problems)
    loader.choose(environment)
    settings = loader.settings()
    drafts = loader.mappings(settings.name if settings else Settings.model_fields["name"].default)
    events = loader.events()
    recipes = loader.recipes(settings, drafts)
    loader.check_moved_mappings(settings, drafts)
    files = loader.files
    if loader.problems or settings is None or files.settings is None:
        raise ConfigError(loader.problems)
    environment_name = loader.scope.environment
    target = settings.environments.get(environment_name, Environment())
    advice = (
        *files.unread_file_warnings,
        *loader.collect_advice(settings, drafts, files.settings),
        *loader.event_advice,
    )
    return Project(
        root=project_root(folder),
        settings=settings,
        mappings=tuple(NamedMapping(draft.name, draft.spec, draft.document.keys) for draft in drafts),
        events=events,
        environment=environment_name,
        target=target,
        secrets=loader.collect_secrets(settings, drafts, files.settings),
        digest=_digest(environment_name, target, settings, drafts, events=events, recipes=recipes),
        templates=find_templates(folder),
        warnings=tuple(map(str, advice)),
        advice=advice,
        positions=files.settings.keys,
        recipes=recipes,
        recipe_positions=files.recipes.keys if files.recipes else {},
    )


@dataclass
class _Loader:
    """Loads the files of one project and collects all problems."""

    files: Files
    problems: list[Diagnostic]
    scope: Scope = field(default_factory=lambda: Scope("", None))
    secrets: list[SecretRef] = field(default_factory=list)
    event_advice: tuple[Diagnostic, ...] = ()
    """Warnings about the texts of events."""

    def choose(self, requested_name: str | None) -> None:
        document = self.files.settings
        if document is None:
            return
        node = document.get(("environments",))
        names = list(node) if isinstance(node, dict) else []
        chosen_name = requested_name or (names[0] if len(names) == 1 else DEFAULT_ENVIRONMENT if not names else None)
        listed = ", ".join(names)
        if chosen_name is None:
            hint = f"pass one with --env or SFCODE_ENV: {listed}"
            self.add(
                document,
                PathProblem(("environments",), "several environments are defined, and none was chosen", hint, at="key"),
            )
        elif chosen_name in names or (not names and chosen_name == DEFAULT_ENVIRONMENT):
            self.scope = environment_scope(document, chosen_name)
            self.files, problems = apply_overrides(self.files, chosen_name)
            self.problems += problems
        else:
            hint = f"choose {format_choices(chosen_name, names)}" if names else "add it under environments"
            message = f"the environment {chosen_name} is not defined"
            self.add(document, PathProblem(("environments",), message, hint, at="key"))

    def settings(self) -> Settings | None:
        document = self.files.settings
        if document is None:
            return None
        typed, unsure = self.validate_document(Settings, document)
        if typed:
            self.add(document, *check_settings(typed, document), unsure=unsure)
        return typed

    def mappings(self, prefix: str) -> list[Draft]:
        drafts = []
        for name, document in self.files.mappings.items():
            if not re.fullmatch(DEVELOPER, name):
                message, hint = WORDS[DEVELOPER]
                text = f"the file's name is part of names in Salesforce, and {name} {message}"
                self.problems.append(Diagnostic.error(Position(document.file, 1, 1), "", text, hint))
            typed, unsure = self.validate_document(Mapping, document)
            if typed:
                self.add(document, *check_mapping(typed, document), unsure=unsure)
                drafts.append(Draft(name, typed, document))
        self.problems.extend(check_mappings(prefix, drafts))
        return drafts

    def check_moved_mappings(self, settings: Settings | None, drafts: list[Draft]) -> None:
        """Check that the mappings in `moved.mappings` exist, as a valid or an invalid file."""
        names = {draft.name.lower() for draft in drafts}
        if settings is None or self.files.settings is None or len(drafts) < len(self.files.mappings):
            return
        for former, present in settings.moved.mappings.items():
            if present.lower() not in names:
                hint = f"write the present name of the mapping: {format_choices(present, [draft.name for draft in drafts])}"
                path = ("moved", "mappings", former)
                self.add(self.files.settings, PathProblem(path, f"the mapping {present} does not exist", hint))

    def events(self) -> Events:
        shipped, document = default_events(), self.files.events
        if document is None:
            return shipped
        typed, _ = self.validate_document(Events, document)
        if typed is None:
            return shipped
        problems = list(check_events(typed, document, shipped))
        self.problems.extend(problems)
        if not problems:
            self.event_advice = tuple(warn_about_events(typed, document, shipped))
        return Events(
            version=1,
            properties={**shipped.properties, **typed.properties},
            activities={**shipped.activities, **typed.activities},
            aliases={**shipped.aliases, **typed.aliases},
        )

    def recipes(self, settings: Settings | None, drafts: list[Draft]) -> Recipes:
        document = self.files.recipes
        if document is None:
            return NO_RECIPES
        typed, unsure = self.validate_document(Recipes, document)
        if typed is None or settings is None:
            return NO_RECIPES
        self.add(document, *check_recipes(typed, settings, [draft.spec for draft in drafts]), unsure=unsure)
        if typed.role_onboarding and not unsure and len(drafts) == len(self.files.mappings):
            self.problems.extend(check_roles(typed.role_onboarding, document, drafts))
        return typed

    def validate_document(self, model: type[M], document: Document) -> tuple[M | None, set[ConfigPath]]:
        interpolation = interpolate(document, self.scope)
        self.problems.extend(interpolation.problems)
        self.secrets.extend(interpolation.secrets)
        typed, problems = validate(model, document, interpolation.data, interpolation.unsure)
        variables = {document.value(path): source for path, source in interpolation.variables.items()}
        for problem in problems:
            source = variables.get(problem.position) if problem.position else None
            self.problems.append(replace(problem, message=f"{problem.message} ({source})") if source else problem)
        return typed, interpolation.unsure

    def add(self, document: Document, *findings: PathProblem, unsure: Iterable[ConfigPath] = ()) -> None:
        paths = set(unsure)
        for finding in findings:
            below = finding.by_content and any(path[: len(finding.path)] == finding.path for path in paths)
            if finding.path not in paths and not below:
                self.problems.append(document.problem(finding))

    def collect_secrets(self, settings: Settings, drafts: Iterable[Draft], document: Document) -> tuple[SecretRef, ...]:
        """List the secrets, including that of outbound messages, which is implicit."""
        references = list(self.secrets)
        path: ConfigPath = ("relay", "outbound_secret")
        if not document.has(*path) and any(d.spec.to_appcues and d.spec.delivery == "relay" for d in drafts):
            name = settings.relay.outbound_secret.removeprefix("${secret:").removesuffix("}")
            references.append(SecretRef(name, ".".join(map(str, path)), document.key(path)))
        return tuple(dict.fromkeys(references))

    @staticmethod
    def collect_advice(settings: Settings, drafts: list[Draft], document: Document) -> tuple[Diagnostic, ...]:
        advice = [document.problem(finding) for finding in warn_about_settings(settings)]
        for draft in drafts:
            advice.extend(draft.document.problem(finding) for finding in warn_about_mapping(draft.spec))
        advice.extend(warn_about_mappings(drafts))
        return tuple(sorted(advice, key=lambda problem: problem.sort_key))


def _digest(
    name: str,
    target: Environment,
    settings: Settings,
    drafts: Iterable[Draft],
    *,
    events: Events,
    recipes: Recipes,
) -> str:
    """Hash the config without comments, layout, other environments and settings of reviews."""
    content = {
        "environment": {
            "name": name,
            "org": target.org,
            "protected": target.protected,
            "safety": target.safety.model_dump(mode="json"),
        },
        "settings": settings.model_dump(mode="json", by_alias=True, exclude={"environments", "review"}),
        "mappings": {draft.name: draft.spec.model_dump(mode="json", by_alias=True) for draft in drafts},
        "events": events.model_dump(mode="json", by_alias=True),
        "recipes": recipes.model_dump(mode="json", by_alias=True),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def project_root(folder: Path) -> Path:
    """Return the parent of a config folder without resolving links, since the folder may be a link to a shared one."""
    return Path(os.path.abspath(folder)).parent  # noqa: PTH100  (it follows no links)


def find_templates(folder: Path) -> Path | None:
    """
    Return the project's own templates: beside the passed config folder, or else beside the target of a link.

    None in the repository of sfcode, whose templates are the shipped ones.
    """
    tops = (project_root(folder), folder.resolve().parent)
    path = next((path for top in tops if (path := top / "templates" / "metadata").is_dir()), None)
    return None if path is None or path.samefile(shipped_templates()) else path
