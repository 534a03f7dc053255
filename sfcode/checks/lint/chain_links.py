"""The chain of one mapping as it is deployed: its message, what fires it, and the access to its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sfcode.checks.granted_rights import Rights, integration_rights
from sfcode.checks.snapshot import Snapshot
from sfcode.mapping.field_types import ATTRIBUTE_TYPES
from sfcode.mapping.fields import Fields, fields_of
from sfcode.mapping.resolved import FieldUse, ResolvedMapping
from sfcode.metadata.component import Address, Body, Value
from sfcode.metadata.objects import standard

_RECORD_FIELD = re.compile(r"\{!\s*\$Record\.([A-Za-z][A-Za-z0-9_]*)", re.IGNORECASE)
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?!\s*\()\b")


@dataclass(frozen=True)
class Chain:
    """One mapping on one side."""

    side: Snapshot
    one: ResolvedMapping

    @property
    def name(self) -> str:
        """Name the message, and what fires it."""
        return self.one.developer_name

    @property
    def message(self) -> Body | None:
        """The outbound message."""
        return self._body("WorkflowOutboundMessage", f"{self.one.object}.{self.name}")

    @property
    def flow(self) -> Body | None:
        """The flow that fires it."""
        return self._body("Flow", self.name)

    @property
    def rule(self) -> Body | None:
        """The workflow rule that fires it."""
        return self._body("WorkflowRule", f"{self.one.object}.{self.name}")

    @property
    def sent(self) -> frozenset[str]:
        """The fields that the message holds."""
        listed = self.message.get("fields") if self.message else None
        return frozenset(str(name) for name in listed) if isinstance(listed, list | tuple) else frozenset()

    @property
    def noticed(self) -> frozenset[str] | None:
        """The fields that the entry condition speaks of, in lower case; None when there is no condition."""
        if self.rule is not None:
            return _words(self.rule.get("formula"), _WORD, without_texts=True)
        start = self.flow.get("start") if self.flow else None
        if not isinstance(start, Mapping):
            return None
        filters = _fields_in(start.get("filters"))
        if "filterFormula" not in start:
            return filters or None
        return _words(start["filterFormula"], _RECORD_FIELD) | filters

    @cached_property
    def rights(self) -> Rights:
        """What the integration user may do."""
        return integration_rights(self.side)

    @cached_property
    def fields(self) -> Fields:
        """What is known of the object's fields, those that are generated included."""
        return fields_of(standard(), self.one.object, self.one.created_fields())

    def may(self, right: str, field: str) -> bool:
        """Tell whether the integration user has a right on a field, or needs none."""
        granted = self.fields.permission(field)
        return not granted or right in self.rights.get(("field", f"{self.one.object}.{granted}"), ())

    def type_of(self, use: FieldUse) -> str:
        """Name the type that an attribute is sent as; "" where only the org knows."""
        if use.type:
            return use.type
        known = self.fields.get(use.field)
        if known is None:
            return ""
        return ATTRIBUTE_TYPES.get(known.type, "string")

    def generated(self, field: str) -> Body | None:
        """Give a field of the object that sfcode makes."""
        return self._body("CustomField", f"{self.one.object}.{field}")

    def _body(self, type_: str, full_name: str) -> Body | None:
        address = Address(type_, full_name)
        return next((one.body for one in self.side.desired.components if one.address == address), None)


def chains(side: Snapshot) -> tuple[Chain, ...]:
    """Give the chain of every mapping."""
    return tuple(Chain(side, mapping) for mapping in side.project.resolved)


def _words(formula: Value, pattern: re.Pattern[str], *, without_texts: bool = False) -> frozenset[str]:
    text = _TEXT.sub(" ", str(formula)) if without_texts else str(formula)
    return frozenset(word.lower() for word in pattern.findall(text))


def _fields_in(filters: Value) -> frozenset[str]:
    """Find the fields that a flow's filter conditions name."""
    rows = filters.values() if isinstance(filters, Mapping) else filters if isinstance(filters, list | tuple) else ()
    named = [str(row.get("field", "")).lower() for row in rows if isinstance(row, Mapping)]
    if isinstance(filters, Mapping):
        named += [str(name).lower() for name in filters]
    return frozenset(filter(None, named))
