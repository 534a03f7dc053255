"""
Handle the changes of users when an org is copied to a sandbox, which are not drift.

A sandbox appends its name to every username, and makes email addresses invalid so that it sends no mail. https://help.salesforce.com/s/articleView?id=platform.data_sandbox_implementation_tips.htm
"""

from __future__ import annotations

import re
from dataclasses import replace

from sfcode.errors import Refused
from sfcode.metadata.component import Address, Body, Component
from sfcode.plan.state import Applied

USER_NAMES = ("clientCredentialsFlowUser", "integrationUser")
"""Attributes of components that refer to a user."""

_OF_INSTANCE = re.compile(r"--([A-Za-z0-9]+)\.")


def choose_username(
    username: str,
    usernames: list[str],
    instance_url: str,
    *,
    role: str = "the integration user",
    key: str = "integration_user.username",
) -> str:
    """
    Return the username of a person or integration in a sandbox: the name itself, else that of its copy.

    Raises Refused if several users could be meant.
    """
    if any(name.lower() == username.lower() for name in usernames):
        return username
    copies = sorted(name for name in usernames if is_copy(name, username))
    own = _OF_INSTANCE.search(instance_url)
    matching = [name for name in copies if own and name.lower().endswith(f".{own[1].lower()}")]
    if len(matching or copies) > 1:
        raise Refused(
            f"In this sandbox {role} {username} may be any of {', '.join(copies)}.",
            f"Set the right one in {key}, by a variable of this environment.",
        )
    return (matching or copies or [username])[0]


def is_copy(username: str, original: str) -> bool:
    """Return whether `user@example.com.uat` is a sandbox's copy of `user@example.com`."""
    return re.fullmatch(re.escape(original.lower()) + r"\.[a-z0-9]+", username.lower()) is not None


def restore_email(user: Component, desired: Body) -> Component:
    """Return a user with the desired e-mail address if the sandbox only made it invalid."""
    email, observed_email = str(desired.get("Email", "")), str(user.body.get("Email", ""))
    # Older sandboxes have user=example.com@example.com.
    spoiled_emails = {f"{email}.invalid".lower(), f"{email.replace('@', '=')}@example.com".lower()}
    return (
        Component(user.type, user.full_name, {**user.body, "Email": email})
        if observed_email.lower() in spoiled_emails
        else user
    )


def rename_user_in_state(applied: Applied, username: str) -> Applied:
    """Rename the integration user in a state that was copied with the org."""
    past = [
        replace(entry, before={address: body and rename_user(body, username) for address, body in entry.before.items()})
        for entry in applied.history
    ]
    components = {address: rename_user(body, username) for address, body in applied.components.items()}
    records = {_rename_record(address, username): body for address, body in applied.records.items()}
    return replace(applied, components=components, history=tuple(past), records=records)


def _rename_record(address: Address, username: str) -> Address:
    """Return the address of a record with the name of the integration user in the copy."""
    recorded = address.user.full_name
    if not is_copy(username, recorded):
        return address
    return Address(address.type, f"{address.full_name.removesuffix(recorded)}{username}")


def rename_user(body: Body, username: str, *, sandbox: bool = True) -> Body:
    """Rename the integration user in a message to the name in the config, ignoring case."""
    changed = dict(body)
    for key in USER_NAMES:
        present_name = str(body.get(key, ""))
        if present_name.lower() == username.lower() or (sandbox and present_name and is_copy(username, present_name)):
            changed[key] = username
    return changed


def users_named_in(body: Body) -> set[str]:
    """Return the usernames that a component refers to."""
    return {str(body[key]) for key in USER_NAMES if body.get(key)}
