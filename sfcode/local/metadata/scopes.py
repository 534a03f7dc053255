"""The scopes of formulas: fields of objects, and global variables."""

from __future__ import annotations

from sfcode.local.formula import NOT_IN_FIELDS, NOT_IN_RULES, FormulaError, Reference, Type, formula_type
from sfcode.local.metadata.names import Step, walk_path
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.model import FieldDef

GLOBAL_OBJECTS = {
    "$user": "User",
    "$profile": "Profile",
    "$recordtype": "RecordType",
    "$userrole": "UserRole",
    "$organization": "Organization",
}
OPAQUE_GLOBALS = frozenset({"$api", "$custommetadata", "$objecttype", "$label", "$permission", "$setup", "$system"})
"""Globals whose members are not checked."""
DATES = frozenset({("CampaignMember", "CreatedDate")})
"""Datetime fields that formulas treat as dates, as the formula fields of real orgs do."""
RECORDS = ("$record", "$record__prior")


class ObjectScope:
    """The scope of formulas over a record of one object: formula fields, rules, and `$Record` in flows."""

    def __init__(
        self, catalog: Catalog, object_name: str, forbidden: frozenset[str], *, flow: bool = False, field: bool = False
    ) -> None:
        self._catalog = catalog
        self._object = object_name
        self._flow = flow
        self._field = field
        self.forbidden = forbidden

    @classmethod
    def of_field(cls, catalog: Catalog, object_name: str) -> ObjectScope:
        """Return the scope of a formula field."""
        return cls(catalog, object_name, NOT_IN_FIELDS, field=True)

    @classmethod
    def of_rule(
        cls,
        catalog: Catalog,
        object_name: str,
        *,
        forbidden: frozenset[str] = frozenset(),
        allowed: frozenset[str] = frozenset(),
        flow: bool = False,
    ) -> ObjectScope:
        """Return the scope of a rule's formula or of a flow's entry condition."""
        return cls(catalog, object_name, (NOT_IN_RULES | forbidden) - allowed, flow=flow)

    def type_of(self, reference: Reference) -> Type | None:
        """Return the type of a field or global. Raises FormulaError for an unknown name."""
        start = self._start(reference)
        if start is None:
            return None
        object_name, path = start
        field: FieldDef | None = None
        steps = 0
        for _, field in walk_path(self._catalog, object_name, path):
            steps += 1
            if field is None:
                raise _missing(reference)
        if field is None or steps < len(path):
            if not path:
                raise _missing(reference)
            return None
        kind = Type.DATE if (object_name, field.name) in DATES else formula_type(field.type, field.length)
        if self._field and kind is Type.LONG_TEXT:
            raise FormulaError(
                f'You referenced an unsupported field type called "{kind}" using the following field: {reference}'
            )
        return kind

    def steps(self, reference: Reference) -> list[Step]:
        """List the fields that a reference uses, including one that does not exist."""
        try:
            start = self._start(reference)
        except FormulaError:
            return []
        return [step for step, _ in walk_path(self._catalog, *start)] if start else []

    def _start(self, reference: Reference) -> tuple[str, tuple[str, ...]] | None:
        first, path = reference.path[0].lower(), reference.path[1:]
        if not first.startswith("$"):
            if self._flow:
                raise _missing(reference)
            return self._object, reference.path
        if first in GLOBAL_OBJECTS:
            return GLOBAL_OBJECTS[first], path
        if self._flow and first in RECORDS:
            return self._object, path
        if first in OPAQUE_GLOBALS or (self._flow and first == "$flow"):
            return None
        raise _missing(reference)


def _missing(reference: Reference) -> FormulaError:
    return FormulaError(f"Field {reference} does not exist. Check spelling.")
