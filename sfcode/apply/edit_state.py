"""Change the list of managed addresses in the org's state, without changing the components."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sfcode.apply.deploy import Progress, deploy
from sfcode.apply.deploy_errors import failure
from sfcode.apply.lock import hold_locks
from sfcode.apply.lock_holder import describe_run
from sfcode.config.project import Project
from sfcode.errors import Refused
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import DeployOptions, Org
from sfcode.plan.gather import find_state
from sfcode.plan.state import Applied, state_address
from sfcode.plan.state_format import from_component, to_component


def forget_components(org: Org, project: Project, addresses: Iterable[Address], report: Progress) -> None:
    """
    Make components and records unmanaged, without changing them.

    Raises:
        Refused: A component or record is not managed; nothing was changed.

    """
    unwanted = set(addresses)

    def change(applied: Applied) -> Applied:
        unmanaged = sorted(str(address) for address in unwanted - applied.addresses())
        if unmanaged:
            raise Refused(
                f"sfcode does not manage {', '.join(unmanaged)}.",
                "`sfcode state list` shows the managed ones. Nothing was changed.",
            )
        return applied.forget(unwanted)

    _change_state(org, project, change, report)


def adopt_components(org: Org, project: Project, components: Iterable[Component], report: Progress) -> None:
    """
    Make components and records managed, with the bodies of the config. The next plan shows where the org differs.

    Raises:
        Refused: A component or record is already managed; nothing was changed.

    """
    adopted = {component.address: component.body for component in components}

    def change(applied: Applied) -> Applied:
        managed = sorted(str(address) for address in adopted.keys() & applied.addresses())
        if managed:
            raise Refused(f"sfcode already manages {', '.join(managed)}.", "Nothing was changed.")
        components = {address: body for address, body in adopted.items() if not address.is_record}
        records = {address: body for address, body in adopted.items() if address.is_record}
        return replace(applied, components={**applied.components, **components}, records={**applied.records, **records})

    _change_state(org, project, change, report)


def _change_state(org: Org, project: Project, change: Callable[[Applied], Applied], report: Progress) -> None:
    """Read the state, change it and deploy it, while the org is locked."""
    version = project.settings.salesforce.api_version
    with hold_locks(org, project.identities, describe_run("state"), patience=0.0, report=report):
        present = find_state(org, project)
        address = present.address if present else state_address(project.identity)
        applied = change(from_component(present))
        if applied.addresses():
            name = applied.project or project.settings.name
            applied = replace(applied, project=name, org_id=applied.org_id or org.identity.org_id)
            files = write([to_component(address, applied)], version)
        else:
            files = write([], version, deleted=[address])
        result = deploy(org, zip_files(files), DeployOptions(), "the state", report)
        if not result.success:
            raise failure(result, ())
