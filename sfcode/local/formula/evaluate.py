"""
Evaluate a formula: `evaluate(formula, context)`.

Blanks follow https://github.com/salesforce/formula-engine : a blank text is '', arithmetic and
comparison with a blank number or date give a blank, and a blank condition counts as not met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Protocol

from sfcode.local.formula.library import FUNCTIONS, text
from sfcode.local.formula.parser import FormulaError, parse
from sfcode.local.formula.tree import Constant, FunctionCall, Node, Operation, Reference
from sfcode.local.formula.values import PRECISION, Value, is_blank

DAY_SECONDS = 86_400
MAX_MAGNITUDE = 64
"""The largest power of ten that a result of POWER() may reach on the platform."""


class EvaluationContext(Protocol):
    """The values that a formula is evaluated with."""

    @property
    def now(self) -> datetime:
        """The time, with its zone."""

    @property
    def is_new(self) -> bool:
        """Whether the record is being created."""

    def value(self, path: tuple[str, ...]) -> Value:
        """Return a field's or global's value: `Account.Name`, `$User.Id`. Raises FormulaError."""

    def prior(self, path: tuple[str, ...]) -> Value:
        """Return a field's value before the save; for a new record its current value."""


class NoRecord:
    """The context of a formula that refers to no record and to no time."""

    now = datetime(1970, 1, 1, tzinfo=UTC)
    is_new = False

    def value(self, path: tuple[str, ...]) -> Value:
        """Refuse any reference."""
        raise FormulaError(f"Field {'.'.join(path)} does not exist. Check spelling.")

    prior = value


def evaluate(formula: str | Node, context: EvaluationContext) -> Value:
    """Evaluate a formula. Raises FormulaError if the platform would show #Error!."""
    node = parse(formula) if isinstance(formula, str) else formula
    try:
        return _Evaluation(context).value(node)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise FormulaError(f"the formula cannot be evaluated: {error}") from error


class _Evaluation:
    def __init__(self, context: EvaluationContext) -> None:
        self.context = context

    def value(self, node: Node) -> Value:
        if isinstance(node, Constant):
            constant = node.value
            return PRECISION.create_decimal(repr(constant)) if type(constant) is float else constant  # type: ignore[return-value]
        if isinstance(node, Reference):
            return self.context.value(node.path)
        return self._call(node) if isinstance(node, FunctionCall) else self._operation(node)

    def _call(self, call: FunctionCall) -> Value:
        special = SPECIAL.get(call.name)
        if special is not None:
            return special(self, call.arguments)
        function = FUNCTIONS.get(call.name)
        if function is None:
            raise FormulaError(f"Function {call.name} is not evaluated by the local org.")
        return function(*map(self.value, call.arguments))

    def true(self, node: Node) -> bool:
        return self.value(node) is True

    def case(self, arguments: Sequence[Node]) -> Value:
        subject = self.value(arguments[0])
        for choice, result in zip(arguments[1:-1:2], arguments[2:-1:2], strict=True):
            candidate = self.value(choice)
            if _equal(subject, candidate) or (is_blank(subject) and is_blank(candidate)):
                return self.value(result)
        return self.value(arguments[-1])

    def is_changed(self, arguments: Sequence[Node]) -> bool:
        before, now = self.prior_value(arguments), self.value(arguments[0])
        return not self.context.is_new and _plain(before) != _plain(now)

    def prior_value(self, arguments: Sequence[Node]) -> Value:
        if not isinstance(arguments[0], Reference):
            raise FormulaError("Incorrect parameter for function 'PRIORVALUE()'. Expected Field Reference")
        return self.context.prior(arguments[0].path)

    def _operation(self, node: Operation) -> Value:
        if node.operator in LOGICAL:
            return SPECIAL[LOGICAL[node.operator]](self, node.operands)
        values = [self.value(operand) for operand in node.operands]
        if len(values) == 1:
            return _apply_sign(node.operator, values[0])
        left, right = values
        if node.operator == "&":
            return text(left) + text(right)
        if node.operator in COMPARISONS:
            return _compare(node.operator, left, right)
        return _arithmetic(node.operator, left, right)


SPECIAL: dict[str, Callable[[_Evaluation, Sequence[Node]], Value]] = {
    "AND": lambda at, arguments: all(at.true(argument) for argument in arguments),
    "CASE": _Evaluation.case,
    "IF": lambda at, arguments: at.value(arguments[1] if at.true(arguments[0]) else arguments[2]),
    "ISCHANGED": _Evaluation.is_changed,
    "ISNEW": lambda at, _: at.context.is_new,
    "NOT": lambda at, arguments: None if (truth := at.value(arguments[0])) is None else not truth,
    "NOW": lambda at, _: at.context.now,
    "OR": lambda at, arguments: any(at.true(argument) for argument in arguments),
    "PRIORVALUE": _Evaluation.prior_value,
    "TIMENOW": lambda at, _: at.context.now.time(),
    "TODAY": lambda at, _: at.context.now.date(),
}
"""Functions that evaluate only some of their arguments, or need more than the values of their arguments."""

LOGICAL = {"&&": "AND", "||": "OR", "!": "NOT"}
COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        return value.replace("\r\n", "\n") or None
    return value


def _equal(left: Value, right: Value) -> bool | None:
    if isinstance(left, str) or isinstance(right, str):
        return text(left) == text(right)
    if left is None or right is None:
        return None
    return type(left) is type(right) and left == right


def _compare(operator: str, left: Value, right: Value) -> bool | None:
    if operator in ("=", "<>"):
        equal = _equal(left, right)
        return equal if equal is None or operator == "=" else not equal
    if is_blank(left) or is_blank(right):
        return None
    if type(left) is not type(right):
        raise FormulaError(f"operator '{operator}' compares values of one type")
    smaller, same = left < right, left == right  # type: ignore[operator]
    return {"<": smaller, "<=": smaller or same, ">": not (smaller or same), ">=": not smaller}[operator]


def _apply_sign(operator: str, value: Value) -> Value:
    if value is None:
        return None
    number = _number(operator, value)
    return PRECISION.minus(number) if operator == "-" else number


def _number(operator: str, value: Value) -> Decimal:
    if not isinstance(value, Decimal):
        raise FormulaError(f"Incorrect parameter type for operator '{operator}'. Expected Number")
    return value


def _arithmetic(operator: str, left: Value, right: Value) -> Value:
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return text(left) + text(right)
    if left is None or right is None:
        return None
    if isinstance(left, date | time) or isinstance(right, date | time):
        return _dates(operator, left, right)
    first, second = _number(operator, left), _number(operator, right)
    try:
        return ARITHMETIC[operator](first, second)
    except (DivisionByZero, InvalidOperation, Overflow) as error:
        raise FormulaError(f"operator '{operator}': out of range") from error


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if exponent != exponent.to_integral_value() or abs(base.adjusted() * int(exponent)) > MAX_MAGNITUDE:
        raise FormulaError("Out of range argument to POWER() function")
    return PRECISION.power(base, exponent)


ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": PRECISION.add,
    "-": PRECISION.subtract,
    "*": PRECISION.multiply,
    "/": PRECISION.divide,
    "^": _power,
}


def _dates(operator: str, left: Value, right: Value) -> Value:
    """Add days to a date or datetime (milliseconds to a time), or subtract two of them."""
    if isinstance(left, Decimal) and operator == "+":
        left, right = right, left
    if isinstance(right, Decimal) and isinstance(left, date | time) and operator in "+-":
        return _add_days(left, right if operator == "+" else -right)
    if operator == "-" and type(left) is type(right):
        if isinstance(left, datetime) and isinstance(right, datetime):
            return PRECISION.divide(Decimal(str((left - right).total_seconds())), Decimal(DAY_SECONDS))
        if isinstance(left, date) and isinstance(right, date):
            return Decimal((left - right).days)
        if isinstance(left, time) and isinstance(right, time):
            return Decimal(_milliseconds(left) - _milliseconds(right))
    raise FormulaError(f"Incorrect parameter type for operator '{operator}'")


def _add_days(start: date | time, by: Decimal) -> date | time:
    if isinstance(start, time):
        milliseconds = (_milliseconds(start) + int(by)) % (DAY_SECONDS * 1000)
        return (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).time()
    if isinstance(start, datetime):
        return start + timedelta(seconds=float(by) * DAY_SECONDS)
    # Hours are no part of a day: a fraction is cut off.
    return start + timedelta(days=int(by))


def _milliseconds(value: time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
