"""`sfcode explain`: what a rule checks, and which lines of YAML ask for a component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.checks.rules import CheckRule
    from sfcode.mapping.desired import Desired
    from sfcode.metadata.component import Address


@click.command()
@click.argument("subject", metavar="RULE|ADDRESS")
@click.pass_obj
def explain(invocation: Invocation, subject: str) -> None:
    """
    Explain a rule of lint, plan or doctor (SF203, D104), or which lines of YAML ask for a component or record.

    An address is written as plan shows it, such as CustomField:Contact.Appcues_User_Id__c. Offline.
    """
    from sfcode.checks.rules import RULES

    rule = RULES.get(subject.upper())
    if rule is not None:
        _explain_rule(invocation, rule)
    elif ":" in subject:
        _explain_address(invocation, subject)
    else:
        raise UsageError(
            f"{subject!r} is neither a rule nor an address.",
            "Pass the ID of a rule (SF203, D104), or an address such as CustomField:Contact.Plan__c.",
        )


def _explain_rule(invocation: Invocation, rule: CheckRule) -> None:
    from sfcode.checks.remedies import REMEDIES

    remedy = REMEDIES.get(rule.id, "")
    if invocation.json:
        names = {"rule": rule.id, "name": rule.name, "level": rule.level.word}
        print_envelope({**names, "text": rule.says, "hint": remedy})
    else:
        echo(f"{rule.id} {rule.name} ({rule.level.word})\n{rule.says}")
        if remedy:
            echo(f"What to do: {remedy}")


def _explain_address(invocation: Invocation, text: str) -> None:
    from sfcode.generate import generate
    from sfcode.metadata.component import Address
    from sfcode.metadata.objects import standard

    try:
        address = Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    desired = generate(invocation.project(), standard())
    names = {address: str(address) for address in desired.by_address}
    if address not in names:
        from sfcode.config.did_you_mean import find_nearest_name

        nearest = find_nearest_name(str(address), names.values())
        raise UsageError(
            f"The config has no component {address}.",
            f"Did you mean {nearest}?" if nearest else "`sfcode validate --json` lists the addresses.",
        )
    lines = _find_lines(desired, address)
    if invocation.json:
        keys = ("file", "line", "column", "path", "name")
        print_envelope({"address": names[address], "lines": [dict(zip(keys, line, strict=True)) for line in lines]})
        return
    echo(f"{names[address]} is asked for by" + ("" if lines else " the project as a whole."))
    for file, line, column, path, name in lines:
        echo(f"  {file}:{line}:{column}: {path}" + (f" ({name})" if name else ""))


def _find_lines(desired: Desired, address: Address) -> list[tuple[str, int, int, str, str]]:
    """Return file, line, column and path of each YAML entry behind an address, and the Salesforce name from the entry."""
    lines = {
        (origin.position.file, origin.position.line, origin.position.column, origin.path, origin.token)
        for origin in desired.find_origins(address)
    }
    # A field has one origin under its name and one under its name with the object, which alone is shown.
    fields = {(*place, name.rpartition(".")[2]) for *place, name in lines if "." in str(name)}
    return sorted(line for line in lines if line not in fields)
