"""
Translate the templates of `templates/metadata/` to Python, so that a command that renders only them needs no Jinja2.

Jinja2 parses the templates. The parts of its language that they use are translated, and all others are refused.
`scripts/docs.py` writes the module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, nodes

from sfcode.generate.template_context import VARIABLES
from sfcode.generate.templates import OPTIONS, SUFFIX

HEAD = '''\
"""
The templates of `templates/metadata/` as functions, each of which writes the XML of one value of `template_context`.

Made by `scripts/translate_templates.py`: change the template, then run `make docs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sfcode.metadata.xml import escape
'''


class UnsupportedError(Exception):
    """Raised for a part of a template that is not translated."""


def translate_templates(folder: Path) -> str:
    """Return the module with one function for each template of a folder."""
    parts = [HEAD]
    for type_, variable in VARIABLES.items():
        source = (folder / (type_ + SUFFIX)).read_text(encoding="utf-8")
        parts.append(
            "\n".join([f"\n\ndef {_function(type_)}({variable}: Any) -> Iterator[str]:", *translate(source), ""])
        )
    table = "\n".join(f'    "{type_}": {_function(type_)},' for type_ in VARIABLES)
    parts.append(f"\n\nRENDERERS: Mapping[str, Callable[[Any], Iterator[str]]] = {{\n{table}\n}}\n")
    parts.append('"""The functions that write XML, by metadata type."""\n')
    return "".join(parts)


def translate(source: str) -> Iterator[str]:
    """Return the lines of a function with the output of a template. Raises UnsupportedError."""
    template = Environment(**OPTIONS).parse(source)  # noqa: S701  (OPTIONS escape)
    return _statements(template.body, "    ")


def _function(type_: str) -> str:
    return "render" + re.sub("([A-Z])", lambda match: f"_{match[0].lower()}", type_)


def _statements(body: list[nodes.Node], indent: str) -> Iterator[str]:
    for is_text, run in groupby(body, lambda node: isinstance(node, nodes.Output)):
        if is_text:
            yield f'{indent}yield f"{"".join(_text(part) for node in run for part in node.iter_child_nodes())}"'
        else:
            yield from _branches(run, indent)


def _text(part: nodes.Node) -> str:
    """Return a part of an f-string in double quotes."""
    if isinstance(part, nodes.TemplateData):
        return json.dumps(part.data)[1:-1].replace("{", "{{").replace("}", "}}")
    return f"{{escape({_expression(part)})}}"


def _branches(body: Iterable[nodes.Node], indent: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, nodes.If):
            yield f"{indent}if {_expression(node.test)}:"
            yield from _statements(node.body, indent + "    ")
            for branch in node.elif_:
                yield f"{indent}elif {_expression(branch.test)}:"
                yield from _statements(branch.body, indent + "    ")
            if node.else_:
                yield f"{indent}else:"
                yield from _statements(node.else_, indent + "    ")
        elif isinstance(node, nodes.For) and isinstance(node.target, nodes.Name) and not (node.else_ or node.test):
            yield from _loop(node.target.name, _expression(node.iter), node.body, indent)
        else:
            raise UnsupportedError(f"line {node.lineno}: {type(node).__name__}")


def _loop(name: str, items: str, body: list[nodes.Node], indent: str) -> Iterator[str]:
    uses_loop = any(inner.name == "loop" for node in body for inner in node.find_all(nodes.Name))
    if uses_loop:
        yield f"{indent}for index, {name} in enumerate({items}, 1):"
        yield f"{indent}    last = index == len({items})"
    else:
        yield f"{indent}for {name} in {items}:"
    yield from _statements(body, indent + "    ")


def _expression(node: nodes.Node) -> str:
    match node:
        case nodes.Const() | nodes.Name():
            return repr(node.value) if isinstance(node, nodes.Const) else node.name
        case nodes.Getattr(node=nodes.Name(name="loop"), attr="index" | "last" as attribute):
            return attribute
        case nodes.Getattr():
            return f"{_expression(node.node)}.{node.attr}"
        case nodes.Getitem():
            return f"{_expression(node.node)}[{_expression(node.arg)}]"
        case nodes.Tuple():
            return f"({''.join(f'{_expression(item)}, ' for item in node.items)})"
        case nodes.Compare(ops=[nodes.Operand(op="eq" | "in" as operator, expr=other)]):
            return f"{_expression(node.expr)} {'==' if operator == 'eq' else 'in'} {_expression(other)}"
        case nodes.CondExpr(expr2=nodes.Expr() as otherwise):
            return f"{_expression(node.expr1)} if {_expression(node.test)} else {_expression(otherwise)}"
        case nodes.Filter(name="lower", node=nodes.Expr() as value):
            return f"str({_expression(value)}).lower()"
    raise UnsupportedError(f"line {node.lineno}: {type(node).__name__}")
