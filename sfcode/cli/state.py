"""`sfcode state`: list and change the managed components of an org."""

from __future__ import annotations

import json

import click

from sfcode.cli.interruption import only_reading
from sfcode.cli.invocation import Invocation
from sfcode.cli.options import parse_addresses
from sfcode.cli.output import echo, print_envelope, print_names, print_status
from sfcode.errors import Refused
from sfcode.metadata.component import Address

addresses_argument = click.argument(
    "addresses", metavar="ADDRESS...", nargs=-1, required=True, callback=parse_addresses
)


@click.group()
def state() -> None:
    """
    Show and change what sfcode manages in an org.

    The state lists the managed components, and records such as the integration user. The last apply stored it in the
    org.
    """


@state.command("list")
@click.pass_obj
def list_command(invocation: Invocation) -> None:
    """List the managed components and records."""
    from sfcode.plan.gather import read_applied

    project = invocation.project()
    with only_reading(), invocation.open_org(project) as org:
        applied = read_applied(org, project)
    addresses = sorted(map(str, applied.addresses()))
    if invocation.json:
        about = {"applied_at": applied.applied_at, "applied_by": applied.applied_by, "revision": applied.revision}
        print_envelope({**about, "components": addresses})
        return
    for address in addresses:
        echo(address)
    if not addresses:
        print_status(invocation, "sfcode manages nothing in this org.")


@state.command()
@click.argument("address", callback=lambda ctx, param, value: parse_addresses(ctx, param, (value,))[0])
@click.pass_obj
def show(invocation: Invocation, address: Address) -> None:
    """Show a managed component or record as it was last applied; secrets are placeholders."""
    from sfcode.plan.gather import read_applied

    project = invocation.project()
    with only_reading(), invocation.open_org(project) as org:
        applied = read_applied(org, project)
    body = {**applied.components, **applied.records}.get(address)
    if body is None:
        raise Refused(f"sfcode does not manage {address}.", "`sfcode state list` lists the managed components.")
    document = {"address": str(address), "body": body, "applied_at": applied.applied_at}
    document |= {"applied_by": applied.applied_by, "revision": applied.revision}
    if invocation.json:
        print_envelope(document)
    else:
        echo(json.dumps(document, indent=2, ensure_ascii=False))


@state.command()
@addresses_argument
@click.pass_obj
def adopt(invocation: Invocation, addresses: tuple[Address, ...]) -> None:
    """
    Manage existing components and records of the config, without changing them.

    The next plan shows where they differ from the config.
    """
    from sfcode.apply.edit_state import adopt_components
    from sfcode.plan.modes import PlanRequest
    from sfcode.plan.planner import make_plan

    project = invocation.project()
    with invocation.open_org(project) as org:
        result = make_plan(project, org, invocation.secrets(project), PlanRequest(adopt=addresses))
        desired = result.desired.by_address
        wrong = [address for address in addresses if address not in desired]
        if wrong:
            raise Refused(f"The config has no component {wrong[0]}.", "`sfcode validate --json` lists the addresses.")
        missing = [address for address in addresses if address not in result.snapshot.components]
        if missing:
            raise Refused(f"The org has no component {missing[0]}.", "`sfcode apply` creates it.")
        components = [desired[address] for address in addresses]
        adopt_components(org, project, components, lambda line: print_status(invocation, line))
    print_names(invocation, "adopted", addresses)


@state.command()
@addresses_argument
@click.pass_obj
def forget(invocation: Invocation, addresses: tuple[Address, ...]) -> None:
    """
    Stop managing components or records, without changing them in the org.

    Remove them from the config as well. Otherwise, the next plan asks to adopt
    components, and the next apply that changes something manages records again.
    """
    from sfcode.apply.edit_state import forget_components

    project = invocation.project()
    with invocation.open_org(project) as org:
        forget_components(org, project, addresses, lambda line: print_status(invocation, line))
    print_names(invocation, "forgotten", addresses)
