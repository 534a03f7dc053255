"""Parse complete bodies of multipart/form-data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class FormPart:
    """One part: its headers, with names in lower case, and its content."""

    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def name(self) -> str:
        """Return the name of the form field."""
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self.headers.get("content-disposition", ""))
        return bytes(options.get(b"name", b"")).decode("utf-8", "replace")


def parse_parts(body: bytes, content_type: str) -> list[FormPart]:
    """Split a body into parts. Raises ValueError if it is not multipart/form-data."""
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ValueError(f"the content type is {content_type!r}, not multipart/form-data with a boundary")
    found: list[FormPart] = []
    name: list[bytes] = []
    value: list[bytes] = []
    content: list[bytes] = []

    def begin() -> None:
        found.append(FormPart())
        content.clear()

    def header() -> None:
        found[-1].headers[b"".join(name).decode("latin-1").lower()] = b"".join(value).decode("latin-1")
        name.clear()
        value.clear()

    def end() -> None:
        found[-1].content = b"".join(content)

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begin,
            "on_header_field": lambda data, start, stop: name.append(data[start:stop]),
            "on_header_value": lambda data, start, stop: value.append(data[start:stop]),
            "on_header_end": header,
            "on_part_data": lambda data, start, stop: content.append(data[start:stop]),
            "on_part_end": end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise ValueError(str(error)) from None
    return found
