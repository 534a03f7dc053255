"""
Replace the variables of an environment in the values of a file, and collect its secrets.

`${name}` is replaced; `${secret:NAME}` is kept until the package is sent; `$${` is an escape for `${`. Keys are not
expanded, and neither is anything under `environments`. Variables in an override are replaced after it is merged into
its file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from sfcode.config.did_you_mean import format_choices
from sfcode.config.document import Document, PathProblem, format_path
from sfcode.config.project import SecretRef
from sfcode.diagnostics import Diagnostic, Position
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.place import ConfigPath

SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN = re.compile(
    r"(?P<escape>\$\$\{)(?P<escaped_secret>secret:)?|\$\{(?:(secret:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})?"
)


@dataclass(frozen=True)
class Scope:
    """The variables of an environment, which a file may use; `variables` is None if the environment is unknown."""

    environment: str
    variables: Mapping[str, str] | None
    secrets: Mapping[str, tuple[SecretRef, ...]] = field(default_factory=dict)
    """The secrets in the values of the variables, with their places."""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """The places of the variables' values."""
    wrong: Collection[str] = ()
    """Variables whose values are not texts; problems of values that contain them are not reported."""


@dataclass
class Interpolated:
    """The data of a file after its variables are replaced."""

    data: object = None
    secrets: list[SecretRef] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    variables: dict[ConfigPath, str] = field(default_factory=dict)
    """Values that contain variables, each with the variables' places: `${name} of file:line:column`."""
    unsure: set[ConfigPath] = field(default_factory=set)
    """Values that could not be expanded; they are not checked further, since that would only report consequences."""


def interpolate(document: Document, scope: Scope) -> Interpolated:
    """Replace the variables in every value of a file."""
    result = Interpolated()
    result.data = _walk(document, document.data, (), scope, result)
    return result


def environment_scope(document: Document, name: str) -> Scope:
    """Collect the variables of an environment from unvalidated data."""
    path: ConfigPath = ("environments", name, "variables")
    node = document.get(path)
    scope = Scope(name, variables := {}, secrets := {}, positions := {}, wrong := set())
    for key, value in node.items() if isinstance(node, dict) else ():
        interpolation = Interpolated()
        text = value if isinstance(value, str) else ""
        if not isinstance(value, str):
            wrong.add(key)
        variables[key] = _Expander(document, (*path, key), scope, interpolation).expand(text)
        secrets[key] = tuple(interpolation.secrets)
        positions[key] = document.value((*path, key))
    return scope


def _walk(document: Document, node: object, path: ConfigPath, scope: Scope, result: Interpolated) -> object:
    if path[:1] == ("environments",) and path[2:] == ("overrides",):
        return node
    if isinstance(node, dict):
        for key in node:
            if "${" in key:
                hint = "write the name itself; variables are only possible in values"
                finding = PathProblem((*path, key), "variables are not replaced in keys", hint, at="key")
                result.problems.append(document.problem(finding))
        return {key: _walk(document, value, (*path, key), scope, result) for key, value in node.items()}
    if isinstance(node, list):
        return [_walk(document, value, (*path, index), scope, result) for index, value in enumerate(node)]
    if not isinstance(node, str) or "${" not in node:
        return node
    if path[0] == "environments":
        # The value is checked; its secrets are required only if the variable is used.
        result = Interpolated(problems=result.problems, unsure=result.unsure)
    return _Expander(document, path, scope, result).expand(node)


@dataclass
class _Expander:
    """Expands one value."""

    document: Document
    path: ConfigPath
    scope: Scope
    result: Interpolated

    def expand(self, text: str) -> str:
        return _TOKEN.sub(self.replace, text)

    def replace(self, match: re.Match[str]) -> str:
        token = match[0]
        if match["escape"]:
            if match["escaped_secret"]:
                self.problem(match, "the text ${secret: cannot be written literally", "remove it")
            return "${"
        if match["name"] is None:
            hint = "write ${name} or ${secret:NAME}, or $${ for these two characters"
            self.problem(match, "unterminated ${...}", hint)
        elif SECRET.fullmatch(token):
            self.result.secrets.append(SecretRef(match["name"], format_path(self.path), self.place(match)))
        else:
            return self.variable(match)
        return token

    def variable(self, match: re.Match[str]) -> str:
        token, name, variables = match[0], match["name"], self.scope.variables
        if self.path[0] == "environments":
            self.problem(match, f"{token} cannot be used inside environments", "write the value itself")
        elif variables is None or name in self.scope.wrong:
            self.result.unsure.add(self.path)
        elif name in variables:
            self.result.secrets.extend(self.scope.secrets.get(name, ()))
            source = f"{token} of {self.scope.positions[name]}"
            before = self.result.variables.get(self.path)
            self.result.variables[self.path] = f"{before} and {source}" if before else source
            return variables[name]
        else:
            hint = f"add it under environments.{self.scope.environment}.variables"
            if variables:
                hint += f", or write {format_choices(name, variables)}"
            self.problem(match, f"the environment {self.scope.environment} has no variable {name}", hint)
        return token

    def problem(self, match: re.Match[str], message: str, hint: str) -> None:
        self.result.problems.append(Diagnostic.error(self.place(match), format_path(self.path), message, hint))
        self.result.unsure.add(self.path)

    def place(self, match: re.Match[str]) -> Position:
        return self.document.find(self.path, "${", match.string.count("${", 0, match.start()))
