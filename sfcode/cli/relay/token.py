"""`sfcode relay token`: manage the access tokens of the dashboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.cli.relay.inbox import open_project_inbox
from sfcode.cli.relay.selection import operator
from sfcode.errors import UsageError

NEVER = "never"
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@click.group("token")
def token_command() -> None:
    """
    Manage the tokens of people and programs that use the dashboard and /metrics.

    Each token has a name, which the audit shows, and a role. SFCODE_RELAY_ADMIN_TOKEN is another token, with the role
    operator.
    """


@token_command.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator"]),
    default="viewer",
    show_default=True,
    help="A viewer sees everything except the content of messages and the people in them; an operator also sees these, "
    "replays, discards, pauses and acknowledges.",
)
@click.option(
    "--expires", metavar="AGE", default="90d", show_default=True, help=f"Expiry of the token: 12h, 90d, or {NEVER}."
)
@click.pass_obj
def create_command(invocation: Invocation, name: str, role: str, expires: str) -> None:
    """Create a token and print it. The database stores only its hash, so it cannot be shown again."""
    from sfcode.relay.access_token import ROLES
    from sfcode.relay.admin_auth import ADMIN_NAME

    if not NAME.fullmatch(name) or name == ADMIN_NAME:
        raise UsageError(
            f"{name} cannot be the name of a token.",
            f"Use small letters, digits and . _ @ -, such as ada@example.com. {ADMIN_NAME} is SFCODE_RELAY_ADMIN_TOKEN.",
        )
    end = _end(expires, datetime.now(UTC))
    chosen_role = next(role_name for role_name in ROLES if role_name == role)
    with open_project_inbox(invocation) as inbox:
        secret = inbox.tokens.create(name, chosen_role, end, operator())
    if secret is None:
        raise UsageError(
            f"There is a token {name} already.",
            f"`sfcode relay token revoke {name}` deletes it, or choose another name.",
        )
    if invocation.json:
        print_envelope({"name": name, "role": role, "expires_at": _stamp(end), "token": secret})
        return
    echo(secret)
    print_status(invocation, f"{name} is {'an operator' if role == 'operator' else 'a viewer'} until {_until(end)}.")


@token_command.command("list")
@click.pass_obj
def list_command(invocation: Invocation) -> None:
    """List the tokens with their names, roles and expiry."""
    with open_project_inbox(invocation) as inbox:
        tokens = inbox.tokens.all()
    if invocation.json:
        rows = [
            {
                "name": token.name,
                "role": token.role,
                "created_at": _stamp(token.created_at),
                "expires_at": _stamp(token.expires_at),
            }
            for token in tokens
        ]
        print_envelope(rows)
        return
    width = max((len(token.name) for token in tokens), default=0)
    for token in tokens:
        is_over = token.expires_at is not None and token.expires_at <= datetime.now(UTC)
        echo(f"{token.name:{width}}  {token.role:8}  {'expired' if is_over else 'until'} {_until(token.expires_at)}")
    if not tokens:
        print_status(invocation, "There are no tokens. `sfcode relay token create NAME` creates one.")


@token_command.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke_command(invocation: Invocation, name: str) -> None:
    """Delete a token; its sessions end at once."""
    with open_project_inbox(invocation) as inbox:
        is_revoked = inbox.tokens.revoke(name, operator())
    if not is_revoked:
        raise UsageError(f"There is no token {name}.", "`sfcode relay token list` lists the tokens.")
    if invocation.json:
        print_envelope({"name": name})
    else:
        echo(f"{name} is revoked, and its sessions have ended.")


def _end(expires: str, now: datetime) -> datetime | None:
    if expires == NEVER:
        return None
    units = {"h": "hours", "d": "days"}
    match = re.fullmatch(r"([1-9][0-9]{0,4})([hd])", expires)
    if match is None:
        raise UsageError(f"{expires} is not an age.", f"Pass --expires 12h, 90d or {NEVER}.")
    return now + timedelta(**{units[match[2]]: int(match[1])})


def _until(end: datetime | None) -> str:
    return "it is revoked" if end is None else f"{end.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
