"""The consequences of a change, in plain words."""

from __future__ import annotations

from sfcode.review.model import Statement
from sfcode.review.statements import setup
from sfcode.review.statements.context import Context
from sfcode.review.statements.mappings import mapping_statements
from sfcode.review.statements.ownership import existing_statements, ownership_statements
from sfcode.review.statements.recipes import recipe_statements
from sfcode.review.statements.registrations import registration_statements
from sfcode.review.statements.rights import rights_statements
from sfcode.review.statements.settings import (
    personal_data_statements,
    rights_elsewhere_statements,
    settings_statements,
)
from sfcode.review.statements.timing import timing_statements
from sfcode.review.statements.to_appcues import to_appcues_statements
from sfcode.review.statements.to_salesforce import deleted_field_statements, to_salesforce_statements

__all__ = ["Context", "statements"]


def statements(context: Context) -> tuple[Statement, ...]:
    """Return all statements for one environment."""
    of_mappings, explained_deletions = mapping_statements(context)
    all_statements = [
        *setup.new_integration_statements(context),
        *of_mappings,
        *settings_statements(context),
        *rights_elsewhere_statements(context),
        *existing_statements(context),
        *ownership_statements(context),
        *to_appcues_statements(context),
        *to_salesforce_statements(context),
        *recipe_statements(context),
        *registration_statements(context),
        *deleted_field_statements(context, explained_deletions),
        *rights_statements(context),
        *timing_statements(context),
        *setup.environment_statements(context),
        *setup.event_statements(context),
        *setup.template_statements(context),
        *personal_data_statements(context),
    ]
    return tuple(
        dict.fromkeys([*all_statements, *setup.remaining_statements(context, has_others=bool(all_statements))])
    )
