"""Sort and page rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sfcode.local.soql.ast import Order, SoqlQuery

T = TypeVar("T")


def sorted_with_nulls(rows: list[T], key: Callable[[T], Any], order: Order) -> list[T]:
    """Sort by one key; nulls come first or last, whatever the direction."""
    keyed = [(key(row), row) for row in rows]
    nulls = [row for value, row in keyed if value is None]
    others = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=order.descending)
    rest = [row for _, row in others]
    return rest + nulls if order.nulls_last else nulls + rest


def page(query: SoqlQuery, rows: list[T]) -> list[T]:
    """Apply OFFSET and LIMIT."""
    end = None if query.limit is None else query.offset + query.limit
    return rows[query.offset : end]
