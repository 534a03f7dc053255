"""The texts that mark managed components, and placeholders for values that are still missing."""

from __future__ import annotations

MANAGED_BY = "Managed by sfcode"
"""The prefix of all descriptions of generated components."""

MANAGED = f"{MANAGED_BY}: do not edit by hand."
"""The beginning of the description of every generated component, except permission sets."""

MANAGED_SET = f"{MANAGED_BY}: do not edit by hand, it is replaced as a whole."
"""The beginning of the description of every generated permission set."""

PLACEHOLDER_ACCOUNT = "FILL_IN"
PLACEHOLDER_RELAY_URL = "https://fill-in.invalid"
"""The placeholders that `sfcode import` writes for the Appcues account and the relay, which an org does not contain."""
