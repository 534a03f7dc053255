"""
The plan as a JSON document: printed by `--format json`, saved by `--out`, read by `apply`.

The shape is Terraform's (`format_version`, `resource_changes[].change.actions|before|after`), so that
policies written for Terraform can be reused. It contains no secrets: bodies have placeholders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfcode import __version__
from sfcode.atomic_write import write_whole
from sfcode.errors import Refused
from sfcode.json_parts import encode_in_parts
from sfcode.metadata.component import Address, Component
from sfcode.metadata.diff import AttributeChange, path_text
from sfcode.plan.change import Action, Change
from sfcode.plan.data_flows import FlowOfData
from sfcode.plan.foreign import Preserved
from sfcode.plan.modes import Mode
from sfcode.plan.plan import ObsoleteVersions, Plan, Refusal, Validation
from sfcode.plan.provenance import Provenance
from sfcode.plan.relay_change import RelayChange
from sfcode.plan.reports import ReportOptions
from sfcode.plan.signature import EncodedChanges, seal, verify
from sfcode.plan.snapshot import Move, Target
from sfcode.secret import Secret
from sfcode.text import spell_out

if TYPE_CHECKING:  # slow to import, and needed at run time only by `sfcode schema`
    from sfcode.plan.document_types import (
        ChangedAttribute,
        DriftedComponent,
        PlanContent,
        PlannedChange,
        RelayConfigChange,
    )

FORMAT_VERSION = "1.4"


def to_document(plan: Plan, key: Secret | None = None) -> dict[str, Any]:
    """Return the plan as JSON values with a digest, and signed if there is a key."""
    return seal(_content(plan, list(map(change_document, plan.changes))), key)


def _content(plan: Plan, changes: list[PlannedChange]) -> PlanContent:
    return {
        "format_version": FORMAT_VERSION,
        "sfcode_version": __version__,
        "org": {
            "id": plan.target.org_id,
            "name": plan.target.name,
            "instance_url": plan.target.instance_url,
            "username": plan.target.username,
        },
        "environment": plan.environment,
        "config_digest": plan.config_digest,
        "api_version": plan.api_version,
        "state": str(plan.state),
        "records_state": plan.records_state,
        "refresh_only": plan.mode is Mode.REFRESH,
        "destroy": plan.mode is Mode.DESTROY,
        "kept": {str(component.address): dict(component.body) for component in plan.kept},
        "released": sorted(str(address) for address in plan.released),
        "resource_changes": changes,
        "resource_drift": [
            _drift(change) for change in plan.drifted if plan.mode is Mode.REFRESH or change.action is not Action.NO_OP
        ],
        "summary": {
            "create": plan.count(Action.CREATE),
            "update": plan.count(Action.UPDATE),
            "delete": plan.count(Action.DELETE),
        },
        "preserved": [_values(count) for count in plan.preserved],
        "left_state": str(plan.left_state) if plan.left_state else None,
        "project": plan.project,
        "moves": [
            {"from": str(move.former), "to": str(move.present), "in_place": move.in_place} for move in plan.moves
        ],
        "obsolete_versions": [
            {"flow": str(old.flow), "numbers": list(old.numbers), "names": [str(name) for name in old.names]}
            for old in plan.obsolete
        ],
        "observed": dict(plan.fingerprints),
        "secrets": dict(plan.secrets),
        "refusals": [
            {
                "address": str(refusal.address) if refusal.address else None,
                "reason": refusal.reason,
                "cure": refusal.hint,
            }
            for refusal in plan.refusals
        ],
        "warnings": list(plan.warnings),
        "validation": _values(plan.validation) if plan.validation else None,
        "flows": [_values(flow) for flow in plan.flows],
        "previous_flows": None if plan.previous_flows is None else [_values(flow) for flow in plan.previous_flows],
        "relay": _relay(plan.relay) if plan.relay else None,
        "provenance": _values(plan.provenance) if plan.provenance else None,
    }


def change_document(change: Change) -> PlannedChange:
    """Return one change as JSON values, in Terraform's shape."""
    return {
        "address": str(change.address),
        "mode": "managed",
        "type": change.address.type,
        "name": change.address.full_name,
        "adopted": change.adopted,
        "replaced": change.replaced,
        "previous_address": str(change.moved_from) if change.moved_from else None,
        "change": {
            "actions": [change.action.value],
            "before": dict(change.before.body) if change.before else None,
            "after": dict(change.after.body) if change.after else None,
            "attributes": [
                {**_attribute(attribute), "cause": change.cause(attribute.path).value}
                for attribute in change.attributes
            ],
        },
    }


def _relay(change: RelayChange) -> RelayConfigChange:
    before, after = change.digests
    return {
        "digest": {"before": before or None, "after": after or None},
        "changes": [
            {"path": setting.path, "before": setting.before, "after": setting.after} for setting in change.settings
        ],
        "before": None if change.before is None else dict(change.before),
        "after": None if change.after is None else dict(change.after),
    }


def _values(row: Preserved | Validation | FlowOfData | Provenance) -> Any:
    """Return the fields of a value by name, as one of the types of the document."""
    return asdict(row)


def _drift(change: Change) -> DriftedComponent:
    return {
        "address": str(change.address),
        "mode": "managed",
        "type": change.address.type,
        "name": change.address.full_name,
        "change": {
            "actions": [_drift_action(change).value],
            "before": dict(change.applied.body) if change.applied else None,
            "after": dict(change.before.body) if change.before else None,
            "attributes": [_attribute(attribute) for attribute in change.drift],
        },
    }


def _drift_action(change: Change) -> Action:
    if change.is_addition:
        return Action.CREATE
    return Action.UPDATE if change.before else Action.DELETE


def _attribute(attribute: AttributeChange) -> ChangedAttribute:
    return {"path": path_text(attribute.path), "before": attribute.before, "after": attribute.after}


def render(plan: Plan, options: ReportOptions) -> Iterator[str]:
    """Render the document as `--out` saves it."""
    return _render_parts(plan, options.key)


def save(plan: Plan, path: Path, key: Secret | None = None) -> None:
    """Save the plan to a file, signed if there is a key. Raises Refused if that is impossible."""
    write_whole(path, chain(map(spell_out, _render_parts(plan, key)), ["\n"]), "the plan")


def _render_parts(plan: Plan, key: Secret | None) -> Iterator[str]:
    """Render the document in parts, since the whole text of a large plan needs several times the memory of the plan."""
    content, changes = _content(plan, []), EncodedChanges()
    start = "{"
    for name, value in content.items():
        if name != "resource_changes":
            yield f'{start}\n  "{name}": '
            yield from _encode(value, "  ")
        else:
            yield f'{start}\n  "{name}": ['
            for change in map(change_document, plan.changes):
                yield f"{',' if changes.parts else ''}\n    "
                yield from _encode(change, "    ")
                changes.add(change["address"], change)
            yield "\n  ]" if changes.parts else "]"
        start = ","
    for name, value in seal({**content, "resource_changes": changes}, key).items():
        if name not in content:
            yield f',\n  "{name}": '
            yield from _encode(value, "  ")
    yield "\n}"


def _encode(value: object, indentation: str) -> Iterator[str]:
    """Yield indented JSON in parts, since a permission set may have megabytes; JSON has no line breaks inside its texts."""
    for part in encode_in_parts(value, ensure_ascii=False):
        yield part.replace("\n", f"\n{indentation}")


def load(path: Path, key: Secret | None = None) -> Plan:
    """
    Load a saved plan. Raises Refused for a file that is not a plan, has another format, or was edited.

    With a key, only a plan that was signed with that key is accepted.
    """
    hint = "Make a new one with `sfcode plan --out FILE`."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = str(document["format_version"])
    except OSError as error:
        raise Refused(f"{path}: the plan cannot be read: {error.strerror}", hint) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(f"{path}: this is not a saved plan", hint) from error
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise Refused(f"{path}: the plan has format {version}, this sfcode reads {FORMAT_VERSION}", hint)
    if problem := verify(document, key):
        raise Refused(f"{path}: {problem}", hint)
    try:
        return _plan(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path}: this is not a saved plan", hint) from error


def _plan(document: dict[str, Any]) -> Plan:
    org = document["org"]
    applied = {drift["address"]: drift["change"]["before"] for drift in document["resource_drift"]}
    return Plan(
        target=Target(org["id"], org["name"], org["instance_url"], org["username"]),
        environment=document["environment"],
        config_digest=document["config_digest"],
        api_version=document["api_version"],
        state=Address.parse(document["state"]),
        changes=tuple(_read_change(change, applied.get(change["address"])) for change in document["resource_changes"]),
        fingerprints=document["observed"],
        refusals=tuple(
            Refusal(
                Address.parse(refusal["address"]) if refusal["address"] else None, refusal["reason"], refusal["cure"]
            )
            for refusal in document["refusals"]
        ),
        warnings=tuple(document["warnings"]),
        secrets=document["secrets"],
        records_state=document["records_state"],
        mode=_mode(document),
        kept=tuple(_component(Address.parse(address), body) for address, body in document["kept"].items()),
        released=frozenset(Address.parse(address) for address in document["released"]),
        preserved=tuple(Preserved(count["container"], count["counts"]) for count in document.get("preserved", ())),
        left_state=Address.parse(document["left_state"]) if document.get("left_state") else None,
        project=document.get("project", ""),
        moves=tuple(
            Move(Address.parse(move["from"]), Address.parse(move["to"]), in_place=move["in_place"])
            for move in document.get("moves", ())
        ),
        obsolete=tuple(
            ObsoleteVersions(
                Address.parse(old["flow"]), tuple(old["numbers"]), tuple(Address.parse(name) for name in old["names"])
            )
            for old in document.get("obsolete_versions", ())
        ),
        validation=_validation(document.get("validation")),
        flows=tuple(_flow(flow) for flow in document.get("flows", ())),
        previous_flows=_read_previous_flows(document.get("previous_flows")),
        provenance=_read_provenance(document.get("provenance")),
        relay=_read_relay(document.get("relay")),
    )


def _mode(document: dict[str, Any]) -> Mode:
    if document["refresh_only"]:
        return Mode.REFRESH
    return Mode.DESTROY if document["destroy"] else Mode.APPLY


def _flow(document: dict[str, Any]) -> FlowOfData:
    pairs = {key: tuple((source, target) for source, target in document[key]) for key in ("sent", "written")}
    selected = tuple(document["selected"]) if document.get("selected") else None
    return FlowOfData(**{**document, **pairs, "senders": tuple(document["senders"]), "selected": selected})


def _read_previous_flows(documents: list[dict[str, Any]] | None) -> tuple[FlowOfData, ...] | None:
    return None if documents is None else tuple(map(_flow, documents))


def _read_provenance(document: dict[str, Any] | None) -> Provenance | None:
    if document is None:
        return None
    lines = {address: tuple(places) for address, places in document["lines"].items()}
    return Provenance(**{**document, "lines": lines})


def _read_relay(document: dict[str, Any] | None) -> RelayChange | None:
    return RelayChange(document["before"], document["after"]) if document else None


def _validation(document: dict[str, Any] | None) -> Validation | None:
    return Validation(**{**document, "tests": tuple(document["tests"])}) if document else None


def _component(address: Address, body: dict[str, Any]) -> Component:
    return Component(address.type, address.full_name, body)


def _read_change(document: dict[str, Any], applied: dict[str, Any] | None) -> Change:
    address = Address.parse(document["address"])
    bodies = (document["change"]["before"], document["change"]["after"], applied)
    before, after, applied_component = (None if body is None else _component(address, body) for body in bodies)
    former = document.get("previous_address")
    return Change(
        address,
        before,
        after,
        applied_component,
        adopted=document["adopted"],
        replaced=document["replaced"],
        moved_from=Address.parse(former) if former else None,
    )
