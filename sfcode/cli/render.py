"""`sfcode render`: the package on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import print_envelope, print_status
from sfcode.errors import Refused


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Empty or new folder.")
@click.option(
    "--layout",
    type=click.Choice(["mdapi", "source"]),
    default="mdapi",
    show_default=True,
    help="Layout of the files.",
)
@click.pass_obj
def render(invocation: Invocation, out: Path, layout: Literal["mdapi", "source"]) -> None:
    """
    Write the generated metadata as files for `sf project deploy`.

    Secrets stay placeholders: the files are for reading, and cannot be deployed unchanged.
    """
    from sfcode.atomic_write import write_together
    from sfcode.generate import generate
    from sfcode.metadata.objects import standard
    from sfcode.metadata.package import write
    from sfcode.plan.state import Applied, state_address
    from sfcode.plan.state_format import readable_text, to_component

    project = invocation.project()
    components = generate(project, standard()).components
    state = to_component(
        state_address(project.identity),
        Applied({component.address: component.body for component in components}, project=project.settings.name),
        readable_text,
    )
    files = write([*components, state], project.settings.salesforce.api_version, layout=layout)
    if out.exists() and any(out.iterdir()):
        raise Refused(f"{out} is not empty.", "Pass a new or empty folder.")
    write_together({out / name: content for name, content in files.items()})
    if invocation.json:
        print_envelope({"out": str(out), "files": sorted(files)}, project.warnings)
    else:
        for name in sorted(files):
            print_status(invocation, str(out / name))
