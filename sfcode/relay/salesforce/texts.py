"""Subject and comment of an activity: the templates of `events.yaml`, compiled once and rendered for each event."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import Template, TemplateError, meta

from sfcode.config.event_models import EventText
from sfcode.config.template import MAX_TEMPLATE
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.limits import ACTIVITY_COMMENT_LENGTH, TEXT_LENGTH
from sfcode.relay.salesforce.template_sandbox import MISSING, TemplateSandbox
from sfcode.relay.salesforce.text_limits import clean, cut

_BLANKS = re.compile(r"\s+")
_SIGN = "[-\u2013\u2014#,;|/]"
_GAP = "[ \t]{0,4}"
"""Matches a bounded number of blanks, since a value may consist of a hundred thousand."""
_TIDY = (
    (re.compile(f"{_GAP}(?:\\({_GAP}{MISSING}{_GAP}\\)|\\[{_GAP}{MISSING}{_GAP}\\])"), MISSING),
    (re.compile(f"{MISSING}(?:{_GAP}{MISSING})+"), MISSING),
    (re.compile(f"(?:{_GAP}{_SIGN}){{0,4}}{_GAP}{MISSING}[ \t]*$", re.MULTILINE), ""),
    (re.compile(f"^{MISSING}{_GAP}(?:{_SIGN}{_GAP})?", re.MULTILINE), ""),
    (re.compile(f"{_GAP}#{MISSING}(?=\\s)"), ""),
    (re.compile(f"{_GAP}{MISSING}(?=[\\s.,;:!?)\\]])"), ""),
    (re.compile(MISSING), ""),
)
"""Matches what is removed with a missing value: brackets around it, a sign before it, a blank. Values are not changed."""

Value = Callable[[str], Any]
"""Returns the value of a name, or None."""


class TemplateFailedError(Exception):
    """Raised when a template cannot be rendered for an event, for example because it compares a word with a number."""


@dataclass(frozen=True)
class TextTemplate:
    """A compiled template, and the names that it uses."""

    template: Template
    names: frozenset[str]

    def render(self, value: Value) -> str:
        """Render the template, and remove punctuation around missing values."""
        values = {name: _short(value(name)) for name in self.names}
        present_values = {
            name: shortened_value for name, shortened_value in values.items() if shortened_value is not None
        }
        parts: list[str] = []
        length = 0
        try:
            for part in self.template.generate(present_values):
                parts.append(part)
                length += len(part)
                if length > 2 * MAX_TEMPLATE:
                    break
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateFailedError(type(error).__name__) from error
        text = clean("".join(parts))
        for pattern, instead in _TIDY:
            text = pattern.sub(instead, text)
        return text


@dataclass(frozen=True)
class ActivityTemplates:
    """The templates of one kind of activity."""

    subject: TextTemplate
    comment: TextTemplate

    def render(self, value: Value) -> tuple[str, str]:
        """Render subject and comment, truncated to their fields. Raises TemplateFailedError."""
        subject = _BLANKS.sub(" ", self.subject.render(value)).strip()
        return cut(subject, TEXT_LENGTH), cut(self.comment.render(value).strip(), ACTIVITY_COMMENT_LENGTH)


def compile_texts(texts: dict[Any, EventText]) -> dict[str, ActivityTemplates]:
    """Compile the templates of every kind of activity."""
    sandbox = TemplateSandbox()
    return {
        str(kind): ActivityTemplates(_compile(sandbox, text.subject), _compile(sandbox, text.comment))
        for kind, text in texts.items()
    }


def _compile(sandbox: TemplateSandbox, source: str) -> TextTemplate:
    names = meta.find_undeclared_variables(sandbox.parse(source))
    return TextTemplate(sandbox.from_string(source), frozenset(names))


def _short(value: Any) -> Any:
    return value[:MAX_TEMPLATE] if isinstance(value, str) else value
