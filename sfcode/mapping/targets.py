"""
The values that events write to fields of the matched record, in one table.

To write a further value, add its row to `TARGET_VALUES`: permissions, checks, plan, review, lint and next steps use the
rows.
"""

from __future__ import annotations

from typing import NamedTuple

from sfcode.mapping.events import BY_NAME, NPS_EVENTS, events_filling
from sfcode.mapping.field_types import NPS_TYPES
from sfcode.mapping.limits import LONG_TEXT_LENGTH


class CreatedField(NamedTuple):
    """A field that sfcode creates."""

    kind: str
    """The kind of the field in its template."""
    type: str
    """The describe type of the field."""
    description: str
    length: int = 0
    """The maximum length of a text in characters."""
    formula: str = ""


class TargetValue(NamedTuple):
    """A value that events write to a field of the record."""

    path: tuple[str, ...]
    """The keys of the value below `to_salesforce` in a mapping; the last key is the value's name."""
    noun: str
    """The noun for the value in messages, such as `NPS score`."""
    plural: str
    events: tuple[str, ...]
    """The events that contain the value; plans show the first one."""
    types: frozenset[str]
    """The describe types of fields that can store the value."""
    needs: str
    """The names of these types in Setup."""
    metadata_types: tuple[str, ...]
    """The metadata types of generated fields that can store the value, the usual one first."""
    created: CreatedField
    """The field that `create: true` generates."""

    @property
    def kind(self) -> str:
        """The name of the value, such as `score`."""
        return self.path[-1]


TARGET_VALUES = (
    TargetValue(
        ("nps", "score"),
        "NPS score",
        BY_NAME[NPS_EVENTS["score"]].plural,
        events_filling(["score"]),
        NPS_TYPES["score"],
        "Number",
        ("Number",),
        CreatedField("nps_score", "double", "The latest NPS score of this person in Appcues, 0 to 10."),
    ),
    TargetValue(
        ("nps", "feedback"),
        "NPS feedback",
        BY_NAME[NPS_EVENTS["feedback"]].plural,
        events_filling(["feedback"]),
        NPS_TYPES["feedback"],
        "Text Area (Long) or Text",
        ("LongTextArea", "TextArea", "Text"),
        CreatedField(
            "nps_feedback",
            "textarea",
            "The latest NPS feedback of this person in Appcues.",
            LONG_TEXT_LENGTH,
        ),
    ),
)
"""All values, in the order in which messages name them."""

NPS_KINDS = frozenset(value.kind for value in TARGET_VALUES if value.path[0] == "nps")
"""The values that are NPS answers."""
