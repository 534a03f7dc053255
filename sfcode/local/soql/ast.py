"""The nodes of a parsed query. Positions are offsets into its text."""

from __future__ import annotations

from sfcode.lazy_dataclasses import dataclass

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field, optionally of a parent: `Name`, `Profile.Name`."""

    path: Path
    at: int = 0
    alias: str = ""

    @property
    def text(self) -> str:
        """The field as written."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function: `COUNT(Id)`, `MAX(CreatedDate)`. `COUNT()` has no field."""

    function: str
    field: FieldRef | None
    alias: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class AllFields:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    which: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class DateRange:
    """A date literal: `LAST_N_DAYS:30`, `TODAY`."""

    name: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a condition; `kind` is string, number, boolean, null, date, datetime or range."""

    kind: str
    value: bool | float | str | DateRange | None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`Field = 'x'`; the operator in upper case."""

    field: FieldRef
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class TotalComparison:
    """A comparison of an aggregate, `COUNT(Id) > 1`, allowed only in HAVING."""

    total: Aggregate
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`Field IN (...)` with values or a subquery with one column. Also INCLUDES and EXCLUDES."""

    field: FieldRef
    operator: str
    values: tuple[Literal, ...] = ()
    query: SoqlQuery | None = None


@dataclass(frozen=True, slots=True)
class Both:
    """`AND` of all parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """`OR` of all parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT` of a part."""

    part: Condition


SingleCondition = Comparison | TotalComparison | Membership
Condition = SingleCondition | Both | Either | Not


@dataclass(frozen=True, slots=True)
class Order:
    """One key of ORDER BY; nulls come first by default."""

    key: FieldRef | Aggregate
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class SoqlQuery:
    """One SELECT; `source` is an object, or a child relationship in a subquery of the field list."""

    select: tuple[FieldRef | Aggregate | AllFields | SoqlQuery, ...]
    source: str
    source_at: int = 0
    alias: str = ""
    where: Condition | None = None
    group_by: tuple[FieldRef, ...] = ()
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
