"""
Check a formula: functions, fields and types.

It stops at the first error, like the platform. Expressions of unknown type are not refused.
"""

from __future__ import annotations

from typing import Protocol

from sfcode.local.formula.functions import CHANGE, FUNCTIONS, TAKES_PICKLISTS, Type
from sfcode.local.formula.parser import FormulaError, parse
from sfcode.local.formula.tree import Constant, FunctionCall, Node, Operation, Reference

TEMPORAL = (Type.DATE, Type.DATETIME, Type.TIME)
PICKLISTS = frozenset({Type.PICKLIST, Type.MULTIPICKLIST})


class FormulaScope(Protocol):
    """The fields, globals and functions that a formula may use."""

    @property
    def forbidden(self) -> frozenset[str]:
        """The functions that are not allowed in formulas of this scope."""

    def type_of(self, reference: Reference) -> Type | None:
        """Return the type of a field or global. Raises FormulaError for an unknown name."""


def check(text: str, scope: FormulaScope, expected: Type | None) -> Node:
    """Parse a formula and check that its result has the expected type. Raises FormulaError with the first error."""
    node = parse(text)
    kind = _TypeChecker(scope).infer(node)
    if isinstance(node, Reference) and kind in PICKLISTS:
        raise _picklist(node)
    if kind is not None and expected is not None and _plain(kind) is not expected:
        name = "true or false" if expected is Type.BOOLEAN else expected.value
        raise FormulaError(f"Formula result is data type ({kind}), incompatible with expected data type ({name}).")
    return node


def _plain(type_: Type) -> Type:
    return Type.TEXT if type_ is Type.LONG_TEXT else type_


def _picklist(field: Reference) -> FormulaError:
    return FormulaError(f"Field {field} is a picklist field. Picklist fields are only supported in certain functions.")


class _TypeChecker:
    def __init__(self, scope: FormulaScope) -> None:
        self._scope = scope

    def infer(self, node: Node) -> Type | None:
        if isinstance(node, Constant):
            return _literal(node)
        if isinstance(node, Reference):
            return self._scope.type_of(node)
        return self._call(node) if isinstance(node, FunctionCall) else self._operation(node)

    def _call(self, call: FunctionCall) -> Type | None:
        function = FUNCTIONS.get(call.name)
        if function is None:
            raise FormulaError(f"Unknown function {call.name}. Check spelling.")
        if call.name in self._scope.forbidden:
            raise FormulaError(f"Function {call.name} may not be used in this type of formula")
        count = len(call.arguments)
        if not function.accepts(count) or (call.name == "CASE" and count % 2):
            # The platform counts the arguments of CASE after the first one in pairs.
            required_count = count + 1 if call.name == "CASE" and count > function.required else function.required
            if function.required < count and call.name != "CASE":
                required_count = len(function.parameters)
            raise FormulaError(
                f"Incorrect number of parameters for function '{call.name}()'. Expected {required_count}, received {count}"
            )
        types = [self.infer(argument) for argument in call.arguments]
        self._arguments(call, types)
        if call.name == "IF":
            return self._branches(call.name, types[1:])
        if call.name == "CASE":
            return self._branches(call.name, [*types[2:-1:2], types[-1]])
        return _plain_or_none(types[0]) if function.like_first and types else function.result

    def _arguments(self, call: FunctionCall, types: list[Type | None]) -> None:
        function = FUNCTIONS[call.name]
        for index, (argument, argument_type) in enumerate(zip(call.arguments, types, strict=True)):
            if call.name in CHANGE and not isinstance(argument, Reference):
                raise FormulaError(
                    f"Incorrect parameter for function '{call.name}()'. Expected Field Reference, received {argument_type or Type.TEXT}"
                )
            if argument_type in PICKLISTS and call.name not in TAKES_PICKLISTS and isinstance(argument, Reference):
                raise _picklist(argument)
            self._fits(f"function '{call.name}()'", function.parameter(index), argument_type)

    def _fits(self, place: str, allowed_types: frozenset[Type], type_: Type | None) -> None:
        if allowed_types and type_ is not None and _plain(type_) not in allowed_types:
            names = ", ".join(kind.value for kind in Type if kind in allowed_types)
            raise FormulaError(f"Incorrect parameter type for {place}. Expected {names}, received {type_}")

    def _branches(self, name: str, types: list[Type | None]) -> Type | None:
        known_types = [_plain(type_) for type_ in types if type_ is not None]
        for type_ in known_types[1:]:
            self._fits(f"function '{name}()'", frozenset({known_types[0]}), type_)
        return known_types[0] if known_types else None

    def _operation(self, node: Operation) -> Type | None:
        types = [self.infer(operand) for operand in node.operands]
        for operand, type_ in zip(node.operands, types, strict=True):
            if type_ in PICKLISTS and isinstance(operand, Reference):
                raise _picklist(operand)
        place = f"operator '{node.operator}'"
        if node.operator in {"&&", "||", "!"}:
            return self._all(place, types, Type.BOOLEAN)
        if node.operator == "&":
            return self._all(place, types, Type.TEXT)
        if node.operator in {"*", "/", "^"} or len(types) == 1:
            return self._all(place, types, Type.NUMBER)
        if node.operator in {"+", "-"}:
            return self._sum(place, node.operator, types)
        self._branches_of(place, types)
        return Type.BOOLEAN

    def _all(self, place: str, types: list[Type | None], required_type: Type) -> Type:
        for type_ in types:
            self._fits(place, frozenset({required_type}), type_)
        return required_type

    def _branches_of(self, place: str, types: list[Type | None]) -> None:
        # The result of a function of a picklist, such as PRIORVALUE, is compared as text.
        known_types = [Type.TEXT if type_ is Type.PICKLIST else _plain(type_) for type_ in types if type_ is not None]
        for type_ in known_types[1:]:
            self._fits(place, frozenset({known_types[0]}), type_)

    def _sum(self, place: str, operator: str, types: list[Type | None]) -> Type | None:
        left, right = (_plain_or_none(type_) for type_ in types)
        if left is None or right is None:
            return None
        if Type.TEXT in (left, right) and operator == "+":
            return self._all(place, types, Type.TEXT)
        addable = frozenset({Type.NUMBER, *TEMPORAL})
        for type_ in (left, right):
            self._fits(place, addable, type_)
        if left in TEMPORAL and right is Type.NUMBER:
            return left
        if left is Type.NUMBER and right in TEMPORAL and operator == "+":
            return right
        if left is right and operator == "-":
            return Type.NUMBER
        return self._all(place, types, Type.NUMBER)


def _plain_or_none(type_: Type | None) -> Type | None:
    return None if type_ is None else _plain(type_)


def _literal(node: Constant) -> Type | None:
    if node.value is None:
        return None
    if isinstance(node.value, bool):
        return Type.BOOLEAN
    return Type.TEXT if isinstance(node.value, str) else Type.NUMBER
