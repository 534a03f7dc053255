"""The consequences of a change, in plain words."""

from __future__ import annotations

from sfcode.review.model import Statement
from sfcode.review.statements import setup
from sfcode.review.statements.context import Context
from sfcode.review.statements.existing import existing
from sfcode.review.statements.mappings import mappings
from sfcode.review.statements.rights import rights
from sfcode.review.statements.settings import accepted, settings
from sfcode.review.statements.timing import timing
from sfcode.review.statements.to_appcues import leaving
from sfcode.review.statements.to_salesforce import lost_fields, written

__all__ = ["Context", "statements"]


def statements(context: Context) -> tuple[Statement, ...]:
    """Return all statements for one environment."""
    whole, told = mappings(context)
    found = [
        *setup.beginning(context),
        *whole,
        *settings(context),
        *existing(context),
        *leaving(context),
        *written(context),
        *lost_fields(context, told),
        *rights(context),
        *timing(context),
        *setup.environment(context),
        *setup.events(context),
        *setup.templates(context),
        *accepted(context),
    ]
    return tuple(dict.fromkeys([*found, *setup.otherwise(context, told=bool(found))]))
