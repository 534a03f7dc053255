"""The models of limits on the changes of one plan."""

import re
from typing import Annotated

from sfcode.config.base import Model
from sfcode.config.fields import ConfigValueError, Convert, Field, JsonSchema

LIMIT = re.compile(r"[0-9]{1,6}|(?:100|[1-9]?[0-9])%")


def read_limit(value: object) -> str:
    """Parse `3` or `25%`. Raises ValueError."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not LIMIT.fullmatch(text):
        raise ValueError(f"{value!r} is not a limit")
    return text


def _limit(value: object) -> object:
    try:
        return None if value is None else read_limit(value)
    except ValueError as error:
        raise ConfigValueError("limit") from error


Limit = Annotated[
    str | None,
    Convert(_limit),
    JsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^({LIMIT.pattern})$"}]}),
]


class Safety(Model):
    """The limits of changes in one plan; without a key there is no limit."""

    max_destroy: Limit = Field(
        default=None,
        description="How many components a plan may destroy: a number, or a percentage of those that sfcode manages in the "
        "org. --max-destroy allows more, once.",
        examples=["25%"],
    )
    max_change: Limit = Field(
        default=None,
        description="How many components a plan may change: a number, or a percentage of those that sfcode manages in the "
        "org. --max-change allows more, once.",
        examples=[10],
    )
