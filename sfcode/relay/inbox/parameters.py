"""
Lists and rows as one parameter of a statement, for any number of values.

So the text of a statement is constant: SQLAlchemy compiles it once and the server plans it once. With one parameter per
value, the driver would take longer to parse the statement than the database takes to execute it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from sfcode.relay.inbox.column_types import encode_json, escape


class ListParameter(TypeDecorator[Collection[Any]]):
    """A list of texts or numbers: an array in PostgreSQL, JSON in SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the parameter."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else postgresql.ARRAY(self.item))

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """Write a list."""
        items = [escape(item) if isinstance(item, str) else item for item in value or ()]
        return encode_json(items) if dialect.name == "sqlite" else items


class RowsParameter(TypeDecorator[Sequence[Sequence[Any]]]):
    """Rows of some columns, as JSON: an array of arrays of texts."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, columns: tuple[TypeEngine[Any], ...]) -> None:
        super().__init__()
        self.columns = columns

    def process_bind_param(self, value: Sequence[Sequence[Any]] | None, dialect: Dialect) -> str:
        """Write rows."""
        rows = [list(row) for row in value or ()]
        for place, column in enumerate(self.columns):
            if isinstance(column, TypeDecorator):
                for row in rows:
                    row[place] = column.process_bind_param(row[place], dialect)
        return encode_json(rows)


class ListMembership(FunctionElement[bool]):
    """The condition of `within`."""

    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> ListMembership:  # noqa: ARG002
        """Return the condition itself: by default SQLAlchemy compares it with 1 on SQLite, which then uses no index."""
        return self


@compiles(ListMembership, "sqlite")
def _in_json(element: ListMembership, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (both are SQL already)


@compiles(ListMembership, "postgresql")
def _any_of_array(element: ListMembership, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


def within(column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column equals one of some values."""
    if not values:
        # For an empty array PostgreSQL considers all indexes equal, and may scan a whole one.
        return column.in_(())
    item = sa.BigInteger() if isinstance(column.type, sa.Integer) else sa.Text()
    return ListMembership(column, sa.bindparam(None, values, type_=ListParameter(item), unique=True))


def given_rows(dialect: str, columns: Sequence[sa.Column[Any]]) -> sa.Subquery:
    """Return a table from the parameter `rows`, with the given text columns and the row's `position`."""
    rows = sa.bindparam("rows", type_=RowsParameter(tuple(column.type for column in columns)))
    texts: list[sa.ColumnElement[Any]]
    if dialect == "sqlite":
        elements = sa.func.json_each(rows).table_valued("value", "key")
        texts = [sa.func.json_extract(elements.c.value, sa.literal_column(f"'$[{n}]'")) for n in range(len(columns))]
    else:
        parsed = sa.func.jsonb_array_elements(sa.cast(rows, postgresql.JSONB))
        elements = parsed.table_valued("value", with_ordinality="key").render_derived()
        texts = [elements.c.value.op("->>")(sa.literal_column(str(n))) for n in range(len(columns))]
    named = (text.label(column.name) for text, column in zip(texts, columns, strict=True))
    return sa.select(*named, elements.c.key.label("position")).subquery("given")
