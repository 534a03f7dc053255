"""
The objects of Setup (the org, licenses, profiles, permission sets, flows), from a table.

The table has one line per field: its name, its describe type, and then in any order a length or
precision, `>Target` for the object of a reference, `<Name` for its child relationship,
`@element` for the element of a component with the value, `required`, `readonly` (only the org writes it), `fixed` (set once, at
creation), `=value` for a default.
The head defines the audit fields (`audit`: all, `modstamp`: SystemModstamp only, `none`) and whether
rows can be written; the fields of `data` objects have field permissions, and `hidden` ones only users with
View Setup and Configuration can read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib import resources

from sfcode.local import ids
from sfcode.local.sobjects.model import FieldDef, ObjectDef, object_def

OWN_PERMISSIONS = "UserPermissionAccess"
"""The object whose only row is about the caller; an org has a field for each of its user permissions."""

AUDIT = """
    CreatedDate datetime required
    CreatedById reference >User required
    LastModifiedDate datetime required
    LastModifiedById reference >User required
"""
MODSTAMP = "    SystemModstamp datetime required"
SYSTEM_FIELDS = frozenset(line.split()[0] for line in f"{AUDIT.strip()}\n{MODSTAMP}".splitlines()) | {"Id", "IsDeleted"}
"""Fields of every record that only the org writes."""


@cache
def system_fields() -> tuple[FieldDef, ...]:
    """Return the fields of a custom object that only the org writes, by name."""
    lines = f"{AUDIT.strip()}\n{MODSTAMP}\nId id 18 required\nIsDeleted boolean".splitlines()
    fields = (read_field(line, writable=False) for line in sorted(line.strip() for line in lines))
    return tuple(replace(field, label="Record ID") if field.name == "Id" else field for field in fields)


@cache
def setup_objects() -> dict[str, ObjectDef]:
    """Return the objects of Setup by name."""
    return load_objects("setup_objects.txt")


@cache
def hidden_objects() -> frozenset[str]:
    """Return the objects that only users with View Setup and Configuration can read, in lower case."""
    blocks = object_blocks("setup_objects.txt").items()
    return frozenset(name.lower() for name, block in blocks if "hidden" in block.partition("\n")[0].split())


def load_objects(file: str) -> dict[str, ObjectDef]:
    """Read a table of objects from a file of this package."""
    return {name: read_object(block) for name, block in object_blocks(file).items()}


def object_blocks(file: str) -> dict[str, str]:
    """Return the blocks of a table by the name of the object; a line that begins with # is a comment."""
    table = re.sub(r"^#.*\n", "", resources.files(__package__).joinpath(file).read_text("utf-8"), flags=re.MULTILINE)
    return {block.partition(" ")[0]: block for block in table.strip().split("\n\n")}


def read_object(block: str) -> ObjectDef:
    """Read one object of a table."""
    head, _, lines = block.partition("\n")
    name, label, words = _head(head)
    text = lines + (AUDIT if words[0] in ("audit", "stamps") else "")
    if words[0] in ("audit", "modstamp"):
        text += f"\n{MODSTAMP}"
    data = "data" in words
    writable = data or "writable" in words
    fields = [
        FieldDef(
            "Id", "id", f"{label} ID", 18, nillable=False, createable=False, updateable=False, permissionable=False
        )
    ]
    fields += [read_field(line, writable=writable, data=data) for line in text.splitlines() if line.strip()]
    prefix = ids.KEY_PREFIXES.get(name)
    return object_def(name, label, f"{label}s", prefix, fields, writable=writable, deletable=writable)


def _head(line: str) -> tuple[str, str, list[str]]:
    name, label, tail = line.split('"')
    return name.strip(), label, tail.split()


def read_field(line: str, *, writable: bool, data: bool = False) -> FieldDef:
    """Read one field of a table."""
    name, kind, *words = line.split()
    signed_words = {word[0]: word[1:] for word in words if word[0] in "><=@"}
    read_only = not writable or "readonly" in words or name in SYSTEM_FIELDS
    length = next((int(word) for word in words if word.isdigit()), 18 if kind == "reference" else 0)
    return FieldDef(
        name,
        kind,
        label_of(name),
        length,
        nillable="required" not in words and kind != "boolean",
        createable=not read_only,
        updateable=not read_only and "fixed" not in words,
        permissionable=data and not read_only and "required" not in words and name != "OwnerId",
        reference_to=tuple(signed_words[">"].split(",")) if ">" in signed_words else (),
        relationship=name.removesuffix("Id") if ">" in signed_words else "",
        child_relationship=signed_words.get("<", ""),
        element=signed_words.get("@", ""),
        default=True if signed_words.get("=") == "true" else None,
    )


def label_of(name: str) -> str:
    """Return the label of a field name: `CreatedById` is "Created By ID"."""
    words = "".join(f" {char}" if char.isupper() else char for char in name).split()
    return " ".join("ID" if word == "Id" else word for word in words)
