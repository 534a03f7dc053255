"""
Deploy, retrieve and delete an increasing number of fields, with a permission set for all of them.

The tables have the CPU time by number of fields, which does not depend on the load of the machine, and the straight
line through these points.
"""

from __future__ import annotations

import io
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import Row

COUNTS = (1000, 4000, 16_000)
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def measure() -> Iterator[Row]:
    """Deploy to fresh orgs, retrieve and delete again; the first deploy of the process is not counted."""
    _use(10)
    seconds = {count: _use(count) for count in COUNTS}
    for number, operation in enumerate(("deploy", "retrieve", "delete")):
        values = [seconds[count][number] for count in COUNTS]
        for count, value in zip(COUNTS, values, strict=True):
            yield Row(f"{operation} {count:,} fields and a permission set over them, CPU time", [value])
        slope, _, off = line(COUNTS, values)
        yield Row(f"each field more, by the straight line through these (off by {off:.0%} at most)", [slope])


def line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float]:
    """Fit a straight line to points by least squares; return slope, start, and the largest relative distance of a point from it."""
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - middle_x) ** 2 for x in xs
    )
    start = middle_y - slope * middle_x
    return slope, start, max(abs(start + slope * x - y) / y for x, y in zip(xs, ys, strict=True))


def package(count: int, label: str = "Field") -> bytes:
    """Return a package of text fields on Contact, and a permission set that grants access to them."""
    names = [f"F{number}__c" for number in range(count)]
    fields = "".join(
        f"<fields><fullName>{name}</fullName><label>{label}</label><length>40</length><type>Text</type></fields>"
        for name in names
    )
    rights = "".join(
        f"<fieldPermissions><editable>true</editable><field>Contact.{name}</field><readable>true</readable></fieldPermissions>"
        for name in names
    )
    members = "".join(f"<members>Contact.{name}</members>" for name in names)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("objects/Contact.object", f'<CustomObject xmlns="{NAMESPACE}">{fields}</CustomObject>')
        archive.writestr(
            "permissionsets/Bench.permissionset",
            f'<PermissionSet xmlns="{NAMESPACE}">{rights}<label>Bench</label></PermissionSet>',
        )
        archive.writestr(
            "package.xml",
            f'<Package xmlns="{NAMESPACE}"><types>{members}<name>CustomField</name></types>'
            "<types><members>Bench</members><name>PermissionSet</name></types><version>62.0</version></Package>",
        )
    return buffer.getvalue()


def deletion(count: int) -> bytes:
    """Return a package that deletes the same fields."""
    members = "".join(f"<members>Contact.F{number}__c</members>" for number in range(count))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package.xml", f'<Package xmlns="{NAMESPACE}"><version>62.0</version></Package>')
        archive.writestr(
            "destructiveChanges.xml",
            f'<Package xmlns="{NAMESPACE}"><types>{members}<name>CustomField</name></types></Package>',
        )
    return buffer.getvalue()


def _use(count: int) -> tuple[float, float, float]:
    """Return the CPU time in seconds of the deployment, the retrieve and the deletion of a package."""
    from sfcode.local import reset
    from sfcode.local.context import OrgContext
    from sfcode.local.metadata.deploy.engine import DeployOutcome, deploy_zip
    from sfcode.local.metadata.deploy.options import DeployRequestOptions
    from sfcode.local.metadata.retrieve import retrieve
    from sfcode.local.store import OrgTransaction, Store

    outcomes: list[DeployOutcome] = []

    def finish(_: OrgTransaction, outcome: DeployOutcome) -> None:
        outcomes.append(outcome)

    def deploy(data: bytes) -> float:
        began = time.process_time()
        deploy_zip(OrgContext(store), data, DeployRequestOptions(rollbackOnError=True), admin, finish)
        if outcomes[-1].status != "Succeeded":
            raise SystemExit(f"{count} fields: {outcomes[-1].failures[0].problem}")
        return time.process_time() - began

    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as name:
        reset(Path(name))
        with Store(Path(name) / "org.db") as store:
            with store.read() as tx:
                admin = tx.settings.get("admin_id") or ""
            deployed = deploy(package(count))
            with store.read() as tx:
                began = time.process_time()
                retrieve(tx, {"CustomField": ["*"], "PermissionSet": ["*"]}, "62.0")
                retrieved = time.process_time() - began
            return deployed, retrieved, deploy(deletion(count))
