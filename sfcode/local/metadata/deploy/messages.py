"""The messages of a deploy about components and files."""

from __future__ import annotations

from typing import Any, Literal

from sfcode.lazy_dataclasses import dataclass, replace

_PARSER_WORDS = {
    # https://github.com/apex-enterprise-patterns/fflib-apex-mocks/issues/85
    "not well-formed XML: Start tag expected, '<' not found": "Content is not allowed in prolog."
}
"""Messages of an org's XML parser, by message of lxml."""

ProblemType = Literal["Error", "Warning"]


def describe_parse_error(problem: str) -> str:
    """Return the message of an org for a file that is not XML, from lxml's message."""
    return f"Error parsing file: {_PARSER_WORDS.get(problem, problem)}"


class DeployRefused(Exception):
    """Raised for a deploy that the org does not start; code and message are Salesforce's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ComponentMessage:
    """The outcome of one component; `line` and `column` are the position of the problem in the file, 0 if unknown."""

    full_name: str
    component_type: str
    file_name: str
    problem: str = ""
    problem_type: ProblemType | None = None
    line: int = 0
    column: int = 0
    id: str = ""
    changed: bool = False
    created: bool = False
    deleted: bool = False
    success: bool = True

    @classmethod
    def error(
        cls, problem: str, full_name: str, component_type: str = "", file_name: str = "", at: tuple[int, int] = (0, 0)
    ) -> ComponentMessage:
        """Return a message that fails the component; `at` is the line and column of its file."""
        return cls(full_name, component_type, file_name, problem, "Error", *at, success=False)

    @classmethod
    def warning(cls, problem: str, full_name: str, file_name: str) -> ComponentMessage:
        """Return a warning; the options of the deploy decide whether it fails the component."""
        return cls(full_name, "", file_name, problem, "Warning")

    def as_failure(self) -> ComponentMessage:
        """Return the message as a failure."""
        return replace(self, success=False)

    def json(self, created_date: str) -> dict[str, Any]:
        """Return the message as JSON, with keys in the order of the WSDL."""
        document: dict[str, Any] = {
            "changed": self.changed,
            "columnNumber": self.column or None,
            "componentType": self.component_type,
            "created": self.created,
            "createdDate": created_date,
            "deleted": self.deleted,
            "fileName": self.file_name,
            "fullName": self.full_name,
            "id": self.id or None,
            "lineNumber": self.line or None,
            "problem": self.problem or None,
            "problemType": self.problem_type,
            "success": self.success,
            "warning": self.problem_type == "Warning",
        }
        return document
