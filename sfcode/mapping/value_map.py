"""The translation of a Salesforce field's values to those of an Appcues attribute."""

from __future__ import annotations

from sfcode.lazy_dataclasses import dataclass

AttributeValue = str | int | float | bool
"""A value in Appcues: a text, a number, or a boolean."""


@dataclass(frozen=True, slots=True)
class ValueMap:
    """The translation of a field's values to those of an attribute."""

    values: tuple[tuple[str, AttributeValue], ...]
    """Pairs of a field's value as text, and the value that is sent."""
    default: AttributeValue | None = None
    """The value that is sent for any field value that is not listed; None clears the attribute."""

    def translate(self, text: str) -> AttributeValue | None:
        """Return the value that is sent for a field's value; None if no value is sent."""
        folded_text = fold_value(text)
        return next((value for key, value in self.values if fold_value(key) == folded_text), self.default)

    def lists(self, text: str) -> bool:
        """Return whether the map lists a field's value."""
        folded_text = fold_value(text)
        return any(fold_value(key) == folded_text for key, _ in self.values)


def fold_value(text: str) -> str:
    """Normalize a value for comparison, since people type `VP sales ` where a list has `VP Sales`."""
    return " ".join(text.split()).casefold()
