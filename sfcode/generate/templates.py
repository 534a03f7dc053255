"""
Render blueprints to components with Jinja2 templates.

Each metadata type has one template, named after it. A template in the project's own folder replaces sfcode's template
of the same name. Templates run in a sandbox, unknown names are errors, and inserted values are escaped. A problem of a
template is reported at its line. `shipped_templates` contains sfcode's templates translated to Python.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfcode.config.files import shipped_templates
from sfcode.diagnostics import Diagnostic, Position
from sfcode.generate.shipped_templates import RENDERERS
from sfcode.generate.template_context import VARIABLES, Blueprint
from sfcode.metadata.component import Component
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.schema import parse_strictly
from sfcode.metadata.xml import from_element, line_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.lexer import Token, TokenStream

SUFFIX = ".xml.j2"
OPTIONS: dict[str, Any] = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
"""The options of Jinja2 environments."""
_MARK = re.compile("\ue000([^\ue000\ue001]*):([0-9]+)\ue001")
_AT_START = re.compile(f"(?:{_MARK.pattern})+")


class TemplateError(Exception):
    """Raised for an unusable template; `problems` have its lines."""

    def __init__(self, problems: Iterable[Diagnostic]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Templates:
    """The templates of a project: its own, and sfcode's for all other components."""

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._own_names = {path.name for path in own.glob(f"*{SUFFIX}")} if own else set()

    @functools.cached_property
    def _environment(self) -> Environment:
        return _environment(*([self._own] if self._own else []), shipped_templates())

    def find_unused_files(self) -> Iterator[Diagnostic]:
        """Find files in the project's template folder that override nothing, such as misspelled names."""
        if self._own is None:
            return
        shipped = {type_ + SUFFIX for type_ in VARIABLES}
        for path in sorted(self._own.glob(f"*{SUFFIX}")):
            if path.name not in shipped and not path.name.startswith("_"):
                from difflib import get_close_matches

                near = get_close_matches(path.name, shipped, n=1)
                hint = f"did you mean {near[0]}?" if near else f"sfcode's own are {', '.join(sorted(shipped))}"
                yield Diagnostic.error(Position(str(path), 1, 1), "", "this template is not used", hint)

    def render(self, blueprint: Blueprint) -> Component:
        """Render one component. Raises TemplateError."""
        address = blueprint.address
        # Importing Jinja2 takes longer than rendering; sfcode's own templates were translated to Python.
        own = address.type + SUFFIX in self._own_names
        text = _render(self._environment, blueprint) if own else "".join(RENDERERS[address.type](blueprint.view))
        data = text.encode("utf-8", "surrogatepass")
        root, schema_problems = parse_strictly(data)
        problems = [(problem.line, problem.message) for problem in schema_problems]
        if root is not None and not problems:
            if root.tag.rpartition("}")[2] != address.type:
                problems.append((line_of(root), f"the root must be <{address.type}>"))
            else:
                full_name = root.findtext("{*}fullName")
                if full_name is not None and full_name not in (address.full_name, address.full_name.rpartition(".")[2]):
                    problems.append((_line_of(text, "<fullName>"), f"the name must stay {address.full_name}"))
        if root is not None and not problems:
            try:
                return from_element(address.type, address.full_name, root)
            except MetadataError as error:
                problems.append((error.line, error.problem))
        lines = self._lines(blueprint)
        raise TemplateError(
            Diagnostic.error(
                _nth(lines, line),
                "",
                f"the result of this template for {address} is invalid: {_in_template(message, lines)}",
                "correct the template, or remove it to use sfcode's own",
            )
            for line, message in problems
        )

    def _lines(self, blueprint: Blueprint) -> list[Position]:
        """
        Return the line of the template for each line of its output.

        The template is rendered again, with a mark of the line inserted before each piece of its text.
        """
        from jinja2.lexer import Token

        def mark_lines(stream: TokenStream) -> Iterator[Token]:
            file = stream.filename or stream.name or ""
            for token in stream:
                if token.type == "data":
                    lines = token.value.split("\n")
                    marks = (f"\ue000{file}:{token.lineno + offset}\ue001{line}" for offset, line in enumerate(lines))
                    yield Token(token.lineno, token.type, "\n".join(marks))
                else:
                    yield token

        environment = _with_filter(self._environment, mark_lines)
        name = blueprint.address.type + SUFFIX
        now = Position(self._environment.get_template(name).filename or name, 1, 1)
        positions: list[Position] = []
        for line in _render(environment, blueprint).split("\n"):
            # A line that begins inside a value has no mark: it belongs to the line where the value was inserted.
            start = _AT_START.match(line)
            now = _last_mark(start[0] if start else "", now)
            positions.append(now)
            now = _last_mark(line, now)
        return positions


def _environment(*folders: Path) -> Environment:
    """Create a sandboxed environment that loads each template from the first folder that has it."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    loader = FileSystemLoader([str(folder) for folder in folders])
    return ImmutableSandboxedEnvironment(loader=loader, auto_reload=False, undefined=StrictUndefined, **OPTIONS)


def _nth(lines: list[Position], line: int) -> Position:
    return lines[min(max(line, 1), len(lines)) - 1]


def _in_template(message: str, lines: list[Position]) -> str:
    """Convert line numbers of the output to lines of the template."""
    return re.sub(r"(?<=\bline )[0-9]+", lambda match: str(_nth(lines, int(match[0])).line), message)


def _last_mark(text: str, otherwise: Position) -> Position:
    marks = _MARK.findall(text)
    return Position(marks[-1][0], int(marks[-1][1]), 1) if marks else otherwise


def _with_filter(environment: Environment, stream_filter: object) -> Environment:
    """Return a second environment that filters the tokens of its templates."""
    from jinja2.ext import Extension

    kind = type("Marks", (Extension,), {"filter_stream": lambda _self, stream: stream_filter(stream)})  # type: ignore[operator]
    return environment.overlay(extensions=[kind])


def _render(environment: Environment, blueprint: Blueprint) -> str:
    """Render a template; a failure becomes a problem with its position."""
    from jinja2 import TemplateSyntaxError, UndefinedError

    name = blueprint.address.type + SUFFIX
    try:
        template = environment.get_template(name)
        return template.render({VARIABLES[blueprint.address.type]: blueprint.view})
    except TemplateSyntaxError as error:
        place = Position(error.filename or error.name or name, error.lineno, 1)
        raise TemplateError([Diagnostic.error(place, "", f"template error: {error.message}")]) from None
    except UndefinedError as error:
        hint = f"a {blueprint.address.type} template is given `{VARIABLES[blueprint.address.type]}`"
        message = f"template error: {error.message}"
        raise TemplateError([Diagnostic.error(_failed_at(error, name), "", message, hint)]) from None
    except Exception as error:  # noqa: BLE001 - a template can fail in any way that an expression can
        message = f"template error: {str(error) or type(error).__name__}"
        raise TemplateError([Diagnostic.error(_failed_at(error, name), "", message)]) from None


def _failed_at(error: Exception, name: str) -> Position:
    """Return the line of the template in a traceback."""
    from traceback import extract_tb

    for frame in reversed(extract_tb(error.__traceback__)):
        if frame.filename.endswith(".j2"):
            return Position(frame.filename, frame.lineno or 1, 1)
    return Position(name, 1, 1)


def _line_of(text: str, tag: str) -> int:
    return text[: max(text.find(tag), 0)].count("\n") + 1
