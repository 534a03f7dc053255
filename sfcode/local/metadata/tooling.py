"""The part of the Tooling API that flows need: find, activate and deactivate them, delete versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, make_error, require
from sfcode.local.http import soap
from sfcode.local.http.call import DATA, Handler, RestCall, answer, no_content, route, route_pair
from sfcode.local.metadata.deploy.jobs import LOCKED, Deployments
from sfcode.local.metadata.operations.request import check_metadata_access
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.component_rows import component_row
from sfcode.local.sobjects.model import ObjectDef
from sfcode.local.sobjects.rows import Rows
from sfcode.local.sobjects.setup_objects import load_objects
from sfcode.local.store import OrgTransaction, Record, StoredFlowVersion

TOOLING = f"{DATA}/tooling"


OBJECTS = {name.lower(): target for name, target in load_objects("tooling_objects.txt").items()}


class ToolingCatalog(Catalog):
    """The objects of the Tooling API, and the objects that they refer to."""

    def object(self, name: str) -> ObjectDef | None:
        """Find an object by name."""
        return OBJECTS.get(name.lower()) or (super().object(name) if name == "User" else None)


class ToolingRows(Rows):
    """The rows of the Tooling API."""

    def __init__(self, tx: OrgTransaction) -> None:
        super().__init__(tx)
        versions = tx.flows.versions()
        self._all["Flow"] = [_version(version) for version in versions]
        self._all["FlowDefinition"] = _definitions(versions)


def _version(version: StoredFlowVersion) -> Record:
    return component_row(
        OBJECTS["flow"],
        version.stored,
        DefinitionId=version.definition_id,
        VersionNumber=version.number,
        ManageableState="unmanaged",
    )


def _definitions(versions: list[StoredFlowVersion]) -> list[Record]:
    flows: dict[str, list[StoredFlowVersion]] = {}
    for version in versions:
        flows.setdefault(version.full_name, []).append(version)
    return [
        component_row(
            OBJECTS["flowdefinition"],
            own[-1].stored,
            Id=own[0].definition_id,
            ActiveVersionId=next((version.id for version in own if version.status == "Active"), None),
            LatestVersionId=own[-1].id,
            ManageableState="unmanaged",
        )
        for own in flows.values()
    ]


def routes(context: OrgContext, jobs: Deployments) -> list[Route]:
    """List the routes of the Tooling API."""
    definition: dict[str, Handler] = {"GET": _get_definition, "PATCH": _deployer_only(_patch_definition, jobs)}
    version: dict[str, Handler] = {"GET": _get_version, "DELETE": _deployer_only(_delete_version, jobs)}
    return [
        *route_pair(f"{TOOLING}/query", context, {"GET": _query}),
        route(f"{TOOLING}/sobjects/FlowDefinition/{{id}}", context, definition),
        route(f"{TOOLING}/sobjects/Flow/{{id}}", context, version),
    ]


def _deployer_only(handler: Handler, jobs: Deployments) -> Handler:
    def handle(call: RestCall) -> Response:
        try:
            with call.context.store.read() as tx:
                check_metadata_access(tx, call.session)
        except soap.SoapFault as fault:
            raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", fault.message, status=403) from None
        if jobs.busy():
            raise ApiError("ALREADY_IN_PROCESS", LOCKED)
        return handler(call)

    return handle


def _query(call: RestCall) -> Response:
    from sfcode.local.soql.execute import Executor
    from sfcode.local.soql.parser import parse
    from sfcode.local.soql.scope import World

    text = call.query.get("q")
    if not text:
        raise make_error("malformed_query", message="A query string has to be specified")
    with call.context.store.read() as tx:
        world = World(ToolingCatalog(tx), ToolingRows(tx), text)
        query_result = Executor(world, call.context.clock.now(), f"{call.base}/tooling").run(parse(text))
    entity = query_result.target.name
    return answer(
        {
            "size": len(query_result.records),
            "totalSize": query_result.total,
            "done": True,
            "queryLocator": None,
            "entityTypeName": entity,
            "records": query_result.records,
        }
    )


def _row(call: RestCall, tx: OrgTransaction, object_name: str) -> Record:
    return require(ToolingRows(tx).get(object_name, call.path["id"]))


def _render(call: RestCall, object_name: str, row: Record, metadata: Mapping[str, Any]) -> Response:
    url = f"{call.base}/tooling/sobjects/{object_name}/{row['Id']}"
    return answer({"attributes": {"type": object_name, "url": url}, **row, "Metadata": metadata})


def _get_definition(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        row = _row(call, tx, "FlowDefinition")
        active = tx.flows.active_version(str(row["DeveloperName"]))
    number = active.number if active else 0
    metadata = {"activeVersionNumber": number, "description": row["Description"], "masterLabel": row["MasterLabel"]}
    return _render(call, "FlowDefinition", row, metadata)


def _patch_definition(call: RestCall) -> Response:
    metadata = call.json_object().get("Metadata")
    if not isinstance(metadata, dict) or "activeVersionNumber" not in metadata:
        raise ApiError("INVALID_FIELD", "Metadata.activeVersionNumber is needed")
    # The version 0 deactivates a flow; some clients send null instead.
    number = metadata["activeVersionNumber"] or None
    with call.context.store.transaction() as tx:
        name = require(tx.flows.name(call.path["id"]))
        if number is not None and number not in {version.number for version in tx.flows.versions(name)}:
            raise ApiError(
                "INVALID_CROSS_REFERENCE_KEY", f"In field: activeVersionNumber - no Flow named {name}-{number} found"
            )
        active = tx.flows.active_version(name)
        if number != (active.number if active else None):
            tx.flows.activate(name, number, user_id=call.session.user_id, now=call.context.clock.now())
    return no_content()


def _get_version(call: RestCall) -> Response:
    with call.context.store.read() as tx:
        row = _row(call, tx, "Flow")
        version = tx.flows.version(call.path["id"])
    return _render(call, "Flow", row, version.body if version else {})


def _delete_version(call: RestCall) -> Response:
    from sfcode.local.metadata.deploy.destroy import check_version_deletable

    with call.context.store.transaction() as tx:
        version = require(tx.flows.version(call.path["id"]))
        problem = check_version_deletable(version)
        if problem is not None:
            raise ApiError("DELETE_FAILED", problem, [])
        tx.flows.delete_version(version.full_name, version.number)
    return no_content()
