"""The texts that mark managed components, and values that are not filled in yet."""

from __future__ import annotations

MANAGED_BY = "Managed by sfcode"
"""What every description of a generated component begins with."""

MANAGED = f"{MANAGED_BY}: do not edit by hand."
"""How the description of every generated component begins."""

MANAGED_SET = f"{MANAGED_BY}: do not edit by hand, it is replaced as a whole."
"""How the description of every generated permission set begins."""

PLACEHOLDER_ACCOUNT = "FILL_IN"
PLACEHOLDER_RELAY_URL = "https://fill-in.invalid"
"""What `sfcode import` writes where an org cannot know the Appcues account and the relay."""
