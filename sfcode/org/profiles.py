"""
Find profiles by names that do not depend on the language of the signed-in user.

SOQL returns the names of standard profiles in the language of the signed-in user; the Metadata API has one name for
all of them.
"""

from __future__ import annotations

from urllib.parse import unquote

from sfcode.mapping.naming import is_same_name
from sfcode.org.client import Org


def profile_names(org: Org) -> dict[str, str]:
    """Return the name of every profile in the Metadata API, by its ID."""
    return {item.id: unquote(item.full_name) for item in org.metadata.list_metadata("Profile") if item.id}


def find_profile(org: Org, name: str) -> str | None:
    """Return the ID of a profile, by its name in SOQL or in the Metadata API; None if it does not exist."""
    profile_id = next((profile.id for profile in org.traits.profiles if is_same_name(profile.name, name)), None)
    return profile_id or next(
        (profile_id for profile_id, full_name in profile_names(org).items() if is_same_name(full_name, name)), None
    )
