"""The conditions of a mapping on its records (`where`), as a formula and as SOQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.place import Place
from sfcode.mapping.value_map import AttributeValue

RECORD_TYPE = "RecordType"
"""The key of `where` that compares the developer name of the record type."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of `where`: the values that a field must have, or must not have."""

    field: str
    """The API name, or `RecordType`."""
    place: Place
    values: tuple[AttributeValue, ...] = ()
    """The values that match; with `negated`, those that do not match."""
    negated: bool = False
    blank: bool | None = None
    """Whether the field must be blank (True) or not blank (False); None if the values decide."""

    @property
    def compared_field(self) -> str:
        """The field of the object that the condition depends on: RecordTypeId for the key `RecordType`."""
        return "RecordTypeId" if self.field == RECORD_TYPE else self.field

    def __str__(self) -> str:
        if self.blank is not None:
            return f"{self.field} is {'blank' if self.blank else 'filled'}"
        values = " or ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in self.values)
        return f"{self.field} is {'not ' if self.negated else ''}{values}"

    def soql(self) -> str:
        """Return the condition for a query."""
        if self.blank is not None:
            return f"{self.compared_field} {'=' if self.blank else '!='} null"
        path = "RecordType.DeveloperName" if self.field == RECORD_TYPE else self.field
        if isinstance(self.values[0], bool):
            return f"{path} {'!=' if self.negated else '='} {_soql_value(self.values[0])}"
        values = ", ".join(map(_soql_value, self.values))
        if self.negated:
            return f"({self.compared_field} = null OR {path} NOT IN ({values}))"
        return f"{path} IN ({values})"

    def formula(self, type_: str, *, prefixed: bool) -> str:
        """
        Return the formula for a flow (`prefixed`) or a workflow rule.

        `type_` is the field's describe type. A blank field equals none of the values.
        """

        def reference(name: str) -> str:
            return f"{{!$Record.{name}}}" if prefixed else name

        field = reference(self.compared_field)
        blank = f'ISPICKVAL({field}, "")' if type_ == "picklist" else f"ISBLANK({field})"
        if self.blank is not None:
            return blank if self.blank else f"NOT({blank})"
        if isinstance(self.values[0], bool):
            return field if self.values[0] != self.negated else f"NOT({field})"
        compared = reference("RecordType.DeveloperName") if self.field == RECORD_TYPE else field
        tests = [_formula_test(compared, value, type_) for value in self.values]
        fits = tests[0] if len(tests) == 1 else f"OR({', '.join(tests)})"
        if not self.negated:
            return fits
        # A comparison with a blank number is neither true nor false.
        return f"OR({blank}, NOT({fits}))" if isinstance(self.values[0], int | float) else f"NOT({fits})"

    @property
    def listed_values(self) -> frozenset[AttributeValue | None] | None:
        """The values that the field may have, with None for a blank field; None if they cannot be listed."""
        if self.blank is not None:
            return frozenset({None}) if self.blank else None
        return None if self.negated else frozenset(map(_fold, self.values))

    def excludes(self, other: Condition) -> bool:
        """Return whether no record can match both conditions."""
        if self.field.lower() != other.field.lower():
            return False
        if self.blank is not None or other.blank is not None:
            return (self._only_blank and other._never_blank) or (other._only_blank and self._never_blank)
        own_values, other_values = set(map(_fold, self.values)), set(map(_fold, other.values))
        if self.negated and other.negated:
            # A checkbox has two values; other fields have more than a condition lists.
            return own_values | other_values == {True, False}
        if self.negated or other.negated:
            return own_values >= other_values if self.negated else other_values >= own_values
        return own_values.isdisjoint(other_values)

    @property
    def _only_blank(self) -> bool:
        return self.blank is True

    @property
    def _never_blank(self) -> bool:
        return self.blank is False or (self.blank is None and not self.negated)


def and_where(query: str, conditions: Iterable[Condition]) -> str:
    """Add the conditions of a mapping to a query with a WHERE clause."""
    return " AND ".join([query, *(condition.soql() for condition in conditions)])


def are_apart(first: Sequence[Condition], second: Sequence[Condition]) -> bool:
    """Return whether the conditions alone imply that no record can match both lists."""
    return any(condition.excludes(other) for condition, other in product(first, second))


def _formula_test(reference: str, value: AttributeValue, type_: str) -> str:
    if not isinstance(value, str):
        return f"{reference} = {value}"
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'ISPICKVAL({reference}, "{text}")' if type_ == "picklist" else f'{reference} = "{text}"'


def _soql_value(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{text}'"


def _fold(value: AttributeValue) -> AttributeValue:
    return value.casefold() if isinstance(value, str) else value
