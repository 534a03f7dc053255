"""
Small faults in the syntax tree of a module, one at a time.

Only code inside functions is changed, because it can be replaced in a running process. Code of modules and classes
has run at import time and stays unchanged.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import CodeType

LONGEST = 70
"""The maximum length of code that a mutation quotes."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Put = Callable[[ast.AST], None]
"""Replaces one node of the tree by another one."""

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "startswith": "endswith", "endswith": "startswith"}
_DROPPED_METHODS = {"lower", "upper", "casefold", "strip", "removeprefix", "removesuffix"}
_DROPPED_FUNCTIONS = {"sorted": "list", "reversed": "iter"}
_NOT_RUN = {"annotation", "returns", "decorator_list", "args", "type_comment"}
"""Fields of a node that are not in the code object of the function, or do not change its behavior."""


@dataclass(frozen=True)
class Mutation:
    """One changed node of a function, and the code of the function with this change."""

    path: str
    function: str
    first_line: int
    """The first line of the function with its decorators; name and line identify a code object."""
    lines: range
    """Lines of the node: a test that runs none of them cannot fail."""
    before: str
    after: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.path}:{self.lines.start}: {self.function}: {self.before}  ->  {self.after}"


def list_mutations(source: str, path: str, filename: str) -> Iterator[Mutation]:
    """List every mutation of a module; `filename` is the file name in its code objects."""
    tree = ast.parse(source)
    for function, name in _list_functions(tree, ""):
        for statement, node, put in _list_nodes(function):
            for new in _mutate(node):
                before, after = _quote(node), _quote(new)
                put(ast.copy_location(new, node))
                code = _find_code(_compile(tree, filename), name, _first_line(function))
                put(node)
                if code is not None:
                    first = getattr(node, "lineno", statement.lineno)
                    last = getattr(node, "end_lineno", None) or first
                    yield Mutation(path, name, _first_line(function), range(first, last + 1), before, after, code)


def _list_functions(node: ast.AST, prefix: str) -> Iterator[tuple[Function, str]]:
    """List the functions and methods of a module with their qualified names; inner functions belong to the outer one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child, prefix + child.name
        elif isinstance(child, ast.ClassDef):
            yield from _list_functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.If | ast.Try):
            yield from _list_functions(child, prefix)


def _first_line(function: Function) -> int:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])


def _compile(tree: ast.Module, filename: str) -> CodeType | None:
    try:
        return compile(ast.fix_missing_locations(tree), filename, "exec", dont_inherit=True)
    except (SyntaxError, TypeError, ValueError):
        return None


def _find_code(code: CodeType | None, name: str, first_line: int) -> CodeType | None:
    for inner in code.co_consts if code else ():
        if isinstance(inner, CodeType):
            if inner.co_qualname == name and inner.co_firstlineno == first_line:
                return inner
            if nested_code := _find_code(inner, name, first_line):
                return nested_code
    return None


def _list_nodes(root: ast.AST, statement: ast.stmt | None = None) -> Iterator[tuple[ast.stmt, ast.AST, Put]]:
    """List the nodes below a node that can be replaced, each with its statement and a function that replaces it."""
    for field, value in ast.iter_fields(root):
        if field in _NOT_RUN and not (field == "args" and isinstance(root, ast.Call)):
            continue
        if isinstance(value, ast.AST):
            yield from _list_from(value, partial(setattr, root, field), statement)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _list_from(item, partial(value.__setitem__, index), statement)


def _list_from(node: ast.AST, put: Put, statement: ast.stmt | None) -> Iterator[tuple[ast.stmt, ast.AST, Put]]:
    inside = node if isinstance(node, ast.stmt) else statement
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if inside is not None:
        yield inside, node, put
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom):
        return  # mutations of these change only messages
    yield from _list_nodes(node, inside)


def _mutate(node: ast.AST) -> Iterator[ast.AST]:  # noqa: PLR0912 (a list of cases, each one line)
    """List the nodes that could replace a node."""
    if isinstance(node, ast.stmt):
        yield from _mutate_statement(node)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.BoolOp):
        for index in range(len(node.values)):
            other_values = [*node.values[:index], *node.values[index + 1 :]]
            yield other_values[0] if len(other_values) == 1 else ast.BoolOp(node.op, other_values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            ops = [*node.ops[:index], _COMPARISONS[type(operator)](), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant):
        yield from map(ast.Constant, _mutate_constant(node.value))
    elif isinstance(node, ast.Call):
        yield from _mutate_call(node)
    elif isinstance(node, ast.Dict):
        for index in range(len(node.keys)):
            keys, values = list(node.keys), list(node.values)
            del keys[index], values[index]
            yield ast.Dict(keys, values)
    elif isinstance(node, ast.List | ast.Tuple | ast.Set) and len(node.elts) > 1:
        if isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            yield from (_remove_element(node, index) for index in range(len(node.elts)))
    elif isinstance(node, ast.Slice):
        if node.lower:
            yield ast.Slice(None, node.upper, node.step)
        if node.upper:
            yield ast.Slice(node.lower, None, node.step)
    elif isinstance(node, ast.comprehension):
        for index in range(len(node.ifs)):
            ifs = [*node.ifs[:index], *node.ifs[index + 1 :]]
            yield ast.comprehension(node.target, node.iter, ifs, node.is_async)


def _mutate_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.If):
        yield from (ast.If(ast.Constant(value), node.body, node.orelse) for value in (True, False))
    elif isinstance(node, ast.While):
        yield ast.While(ast.Constant(value=False), node.body, node.orelse)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        yield ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
    elif isinstance(node, ast.Expr | ast.Raise | ast.AugAssign | ast.Delete | ast.Continue | ast.Break) or (
        isinstance(node, ast.Assign) and not any(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)
    ):
        yield ast.Pass()


def _mutate_constant(value: object) -> Iterator[bool | int | float | str]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, str) and value and not any(map(str.isspace, value)):
        yield f"{value}XX"


def _mutate_call(node: ast.Call) -> Iterator[ast.AST]:
    for index in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, [*node.keywords[:index], *node.keywords[index + 1 :]])
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Starred):
            yield ast.Call(node.func, [*node.args[:index], *node.args[index + 1 :]], node.keywords)
    if isinstance(node.func, ast.Name):
        if substitute := _SWAPPED.get(node.func.id):
            yield ast.Call(ast.Name(substitute, ast.Load()), node.args, node.keywords)
        if substitute := _DROPPED_FUNCTIONS.get(node.func.id):
            yield ast.Call(ast.Name(substitute, ast.Load()), node.args, [])
    elif isinstance(node.func, ast.Attribute):
        if substitute := _SWAPPED.get(node.func.attr):
            yield ast.Call(ast.Attribute(node.func.value, substitute, ast.Load()), node.args, node.keywords)
        if node.func.attr in _DROPPED_METHODS:
            yield node.func.value


def _remove_element(node: ast.List | ast.Tuple | ast.Set, left_out: int) -> ast.expr:
    elements = [*node.elts[:left_out], *node.elts[left_out + 1 :]]
    if isinstance(node, ast.Set):
        return ast.Set(elements)
    return ast.List(elements, ast.Load()) if isinstance(node, ast.List) else ast.Tuple(elements, ast.Load())


def _quote(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        text = f"{type(node).__name__.lower()} {ast.unparse(node.test)}: ..."
    elif isinstance(node, ast.comprehension):
        text = ast.unparse(node)
    else:
        text = ast.unparse(ast.fix_missing_locations(node))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
