"""Parse complete bodies of multipart/form-data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sfcode.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from python_multipart.multipart import Field, File


@dataclass(frozen=True)
class FormPart:
    """One part: the name of its field, its content, and whether it is a file."""

    name: str
    content: bytes
    is_file: bool


def parse_parts(body: bytes, content_type: str) -> list[FormPart]:
    """Split a body into parts. Raises ValueError if it is not multipart/form-data."""
    from python_multipart import parse_form
    from python_multipart.exceptions import FormParserError

    parts: list[FormPart] = []

    def add_field(field: Field) -> None:
        parts.append(FormPart((field.field_name or b"").decode("utf-8", "replace"), field.value or b"", is_file=False))

    def add_file(file: File) -> None:
        file.file_object.seek(0)
        name = (file.field_name or b"").decode("utf-8", "replace")
        parts.append(FormPart(name, file.file_object.read(), is_file=True))

    if not content_type.startswith("multipart/form-data"):
        raise ValueError(f"the content type is {content_type!r}, not multipart/form-data")
    try:
        parse_form({"Content-Type": content_type.encode("latin-1", "replace")}, io.BytesIO(body), add_field, add_file)
    except FormParserError as error:
        raise ValueError(str(error)) from None
    return parts
