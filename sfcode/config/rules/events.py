"""Rules about `events.yaml`: its templates must be ones that the relay can fill in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sfcode.config.document import Document, show_path
from sfcode.config.models import Events
from sfcode.config.project import ConfigPath
from sfcode.errors import Problem

MAX_TEMPLATE = 32_000
"""The longest comment that an activity takes."""


class Fault(NamedTuple):
    """What is wrong with a template, and in which of its lines."""

    line: int
    message: str


def problems(events: Events, document: Document, known: Events) -> Iterator[Problem]:
    """Judge the templates; those that sfcode ships are known to be right."""
    for event, text in events.activities.items():
        shipped = known.activities[event]
        for key, template, same in (
            ("subject", text.subject, shipped.subject),
            ("comment", text.comment, shipped.comment),
        ):
            if template == same or "{" not in template:
                continue
            fault = template_fault(template)
            if fault:
                path: ConfigPath = ("activities", event, key)
                cure = "write {{ attribute }}, as in the shipped texts; the language is Jinja2"
                message = f"not a template: {fault.message}"
                yield Problem(document.line(path, fault.line), show_path(path), message, cure)


def template_fault(text: str) -> Fault | None:
    """
    Find what keeps a text from being compiled as a sandboxed Jinja2 template.

    It is parsed, and its filters and tests looked up, rather than compiled: compiling computes
    constant expressions, and `{{ 9 ** 9 ** 9 }}` would take for ever.
    """
    from jinja2 import TemplateSyntaxError, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment()
    if len(text) > MAX_TEMPLATE:
        return Fault(1, f"longer than {MAX_TEMPLATE} characters")
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        return Fault(error.lineno, (error.message or "it cannot be parsed").rstrip("."))
    except RecursionError:
        return Fault(1, "nested too deeply")
    tables = ((nodes.Filter, environment.filters, "filter"), (nodes.Test, environment.tests, "test"))
    for kind, table, noun in tables:
        for node in tree.find_all(kind):
            if node.name not in table:
                return Fault(node.lineno, f"there is no {noun} named {node.name}")
    refused = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
    for statement in tree.find_all(refused):
        word = type(statement).__name__.removeprefix("From").lower()
        return Fault(statement.lineno, f"{{% {word} %}} is about other templates, and there are none")
    return None
