"""
Overrides of single keys in one environment: `environments.NAME.overrides`.

They are merged into the files before validation, by JSON Merge Patch (RFC 7396): keys are merged,
every other value is replaced as a whole, and `null` removes a key. Overridden entries keep their positions in
`sfcode.yaml`, so that messages and reports have the line of the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfcode.config.did_you_mean import format_choices
from sfcode.config.document import Document, PathProblem, Spot
from sfcode.config.files import EVENTS, MAPPINGS, RECIPES, SETTINGS, Files
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.place import ConfigPath

FIXED = ("version", "environments")
"""Keys of `sfcode.yaml` that cannot be overridden."""


def apply_overrides(files: Files, environment: str) -> tuple[Files, list[Diagnostic]]:
    """Return the files with the overrides of an environment, and the problems of the overrides."""
    settings = files.settings
    path: ConfigPath = ("environments", environment, "overrides")
    overrides = settings.get(path) if settings else None
    if settings is None or not isinstance(overrides, dict):
        return files, []
    documents = _list_documents(files)
    problems: list[PathProblem] = []
    for name, patch in overrides.items():
        if not isinstance(patch, dict):
            continue  # the model of sfcode.yaml reports the problem
        if name not in documents:
            hint = f"write {format_choices(name, documents)}, without the config folder"
            problems.append(PathProblem((*path, name), f"there is no file {name} to override", hint, at="key"))
            continue
        merge = _Merge(documents[name], settings)
        documents[name] = merge.merge(patch, (*path, name), FIXED if name == SETTINGS else ())
        problems += merge.problems
    mappings = {name: documents[f"{MAPPINGS}/{name}.yaml"] for name in files.mappings}
    overridden = replace(
        files,
        settings=documents[SETTINGS],
        events=documents.get(EVENTS),
        recipes=documents.get(RECIPES),
        mappings=mappings,
    )
    return overridden, [settings.problem(problem) for problem in problems]


def _list_documents(files: Files) -> dict[str, Document]:
    """Return the files of a project by their paths in the config folder."""
    single = {SETTINGS: files.settings, EVENTS: files.events, RECIPES: files.recipes}
    mappings = {f"{MAPPINGS}/{name}.yaml": document for name, document in files.mappings.items()}
    return {**{name: document for name, document in single.items() if document}, **mappings}


class _Merge:
    """Merges the entries of `sfcode.yaml` below a path into a file."""

    def __init__(self, document: Document, settings: Document) -> None:
        self.document = document
        self.settings = settings
        self.spots = dict(document.spots)
        self.problems: list[PathProblem] = []

    def merge(self, patch: dict[str, object], source: ConfigPath, fixed: tuple[str, ...]) -> Document:
        """Return the document merged with the patch at the path `source`; entries in `fixed` are refused."""
        allowed = {}
        for key, value in patch.items():
            if key in fixed:
                hint = "remove it here"
                problem = PathProblem((*source, key), f"{key} is the same in every environment", hint, at="key")
                self.problems.append(problem)
            else:
                allowed[key] = value
        data = self._merge(self.document.data, allowed, (), source)
        return replace(self.document, data=data, spots=self.spots)

    def _merge(self, target: object, patch: dict[str, object], path: ConfigPath, source: ConfigPath) -> object:
        result = dict(target) if isinstance(target, dict) else {}
        for key, value in patch.items():
            place, origin = (*path, key), (*source, key)
            if value is None:
                if key not in result:
                    hint = "remove the line, or correct the key"
                    self.problems.append(PathProblem(origin, "the key to remove does not exist", hint, at="key"))
                result.pop(key, None)
                self._forget(place)
            elif isinstance(value, dict) and isinstance(result.get(key), dict):
                result[key] = self._merge(result[key], value, place, origin)
            else:
                result[key] = value
                self._forget(place)
                self.spots.update(self._list_spots(place, origin))
        return result

    def _forget(self, path: ConfigPath) -> None:
        for other in [other for other in self.spots if other[: len(path)] == path]:
            del self.spots[other]

    def _list_spots(self, path: ConfigPath, source: ConfigPath) -> Iterator[tuple[ConfigPath, Spot]]:
        for other, spot in self.settings.spots.items():
            if other[: len(source)] == source:
                yield (*path, *other[len(source) :]), replace(spot, text=self.settings.text)
