"""The delivery chain of one mapping as deployed: its message, its flow or rule, and the field permissions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from sfcode.checks.snapshot import Snapshot
from sfcode.lazy_dataclasses import dataclass
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
    """The delivery chain of one mapping."""

    side: Snapshot
    mapping: ResolvedMapping

    @property
    def name(self) -> str:
        """The name of message, flow and rule."""
        return self.mapping.developer_name

    @property
    def message(self) -> Body | None:
        """The outbound message; None without one."""
        return self._body("WorkflowOutboundMessage", f"{self.mapping.object}.{self.name}")

    @property
    def flow(self) -> Body | None:
        """The flow that sends the message; None without one."""
        return self._body("Flow", self.name)

    @property
    def rule(self) -> Body | None:
        """The workflow rule that sends the message; None without one."""
        return self._body("WorkflowRule", f"{self.mapping.object}.{self.name}")

    @cached_property
    def sent_fields(self) -> frozenset[str]:
        """The fields of the message."""
        listed = self.message.get("fields") if self.message else None
        return frozenset(str(name) for name in listed) if isinstance(listed, list | tuple) else frozenset()

    @property
    def condition_fields(self) -> frozenset[str] | None:
        """The fields of the entry condition, in lower case; None if there is no condition."""
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
    def fields(self) -> Fields:
        """The fields of the object, including generated ones."""
        return fields_of(standard(), self.mapping.object, self.mapping.created_fields())

    def may(self, right: str, field: str) -> bool:
        """Return whether the integration user has the required access to a field."""
        granted = self.fields.permission(field)
        return not granted or right in self.side.integration_rights.get(
            ("field", f"{self.mapping.object}.{granted}"), ()
        )

    def type_of(self, use: FieldUse) -> str:
        """Return the type that an attribute is sent as; "" if only the org knows it."""
        if use.type:
            return use.type
        field = self.fields.get(use.field)
        if field is None:
            return ""
        return ATTRIBUTE_TYPES.get(field.type, "string")

    def find_generated(self, field: str) -> Body | None:
        """Return a generated field of the object."""
        return self._body("CustomField", f"{self.mapping.object}.{field}")

    def _body(self, type_: str, full_name: str) -> Body | None:
        component = self.side.desired.by_address.get(Address(type_, full_name))
        return component.body if component else None


def chains(side: Snapshot) -> tuple[Chain, ...]:
    """Return the delivery chain of every mapping."""
    return tuple(Chain(side, mapping) for mapping in side.project.resolved)


def _words(formula: Value, pattern: re.Pattern[str], *, without_texts: bool = False) -> frozenset[str]:
    text = _TEXT.sub(" ", str(formula)) if without_texts else str(formula)
    return frozenset(word.lower() for word in pattern.findall(text))


def _fields_in(filters: Value) -> frozenset[str]:
    """Return the fields in a flow's filter conditions."""
    rows = filters.values() if isinstance(filters, Mapping) else filters if isinstance(filters, list | tuple) else ()
    names = [str(row.get("field", "")).lower() for row in rows if isinstance(row, Mapping)]
    if isinstance(filters, Mapping):
        names += [str(name).lower() for name in filters]
    return frozenset(filter(None, names))
