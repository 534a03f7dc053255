"""Client of the Metadata API: deploy, retrieve, list, read and describe."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from sfcode.errors import OrgError, OrgUnreachable
from sfcode.metadata.component import Component
from sfcode.metadata.package import unzip
from sfcode.metadata.xml import from_element
from sfcode.org import result_parsers, retry, soap
from sfcode.org.connection import Connection
from sfcode.org.polling import follow_deployment, pauses
from sfcode.org.results import DeployOptions, DeployResult, FileProperties, MetadataDescription, Retrieved
from sfcode.org.retry import NoAnswer

if TYPE_CHECKING:
    from lxml import etree

Item = TypeVar("Item")

READ_AT_ONCE = 10
LIST_AT_ONCE = 3
"""The maximum number of items per call of readMetadata and of listMetadata."""

RETRIEVE_TIMEOUT = 600.0


class MetadataClient:
    """The Metadata API of one org. Reads are retried after a transient error; a deploy only if it was not started."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runtime = connection.runtime

    def deploy(self, zip: bytes, options: DeployOptions) -> str:
        """
        Start the deployment of a package and return its ID.

        Raises:
            OrgUnreachable: The response was lost. The request is not repeated, since the org may be deploying.
            OrgError: The org refused the request.

        """
        fields: soap.Fields = [
            ("ZipFile", base64.b64encode(zip).decode("ascii")),
            ("DeployOptions", options.fields()),
        ]
        return self._start("deploy", fields)

    def quick_deploy(self, validation_id: str) -> str:
        """Deploy a package that was validated with tests (deployRecentValidation); return the deployment's ID."""
        return self._start("deployRecentValidation", [("validationId", validation_id)])

    def deploy_status(self, deploy_id: str, details: bool = True) -> DeployResult:
        """Return the status of a deployment."""
        return self._read(lambda: self._status(deploy_id, details))

    def follow(
        self,
        deploy_id: str,
        on_progress: Callable[[DeployResult], None] | None = None,
        *,
        timeout: float = 3600.0,
    ) -> DeployResult:
        """
        Wait until a deployment has succeeded or failed; `timeout` is in seconds.

        Raises:
            DeployStillRunning: The deployment takes longer than `timeout`, or the org is unreachable.

        """
        return follow_deployment(lambda: self._status(deploy_id, True), deploy_id, on_progress, self._runtime, timeout)

    def cancel_deploy(self, deploy_id: str) -> bool:
        """Ask the org to cancel a deployment; return True if it is canceled, False if it is still being canceled."""
        # Repeatable. The element's name is that of the WSDL.
        return soap.flag(self._call_single("cancelDeploy", [("String", deploy_id)]), "done")

    def retrieve(self, members: Mapping[str, Iterable[str]], *, timeout: float = RETRIEVE_TIMEOUT) -> Retrieved:
        """Retrieve components by type and full name; the messages list missing ones."""
        requested = {type: sorted(set(names)) for type, names in sorted(members.items())}
        types: list[tuple[str, soap.Node]] = [
            ("types", [*(("members", member) for member in names), ("name", type)])
            for type, names in requested.items()
            if names
        ]
        if not types:
            return Retrieved({})
        version = self._connection.api_version
        request: soap.Fields = [
            ("apiVersion", version),
            ("singlePackage", True),
            ("unpackaged", [*types, ("version", version)]),
        ]
        retrieve_id = soap.text(self._call_single("retrieve", [("retrieveRequest", request)]), "id")
        return self._parse_retrieve(self._wait_for(retrieve_id, timeout))

    def list_metadata(self, *types: str) -> tuple[FileProperties, ...]:
        """List the components of some types, in the org's order."""
        properties: list[FileProperties] = []
        for batch in _batches(types, LIST_AT_ONCE):
            fields: list[tuple[str, soap.Node]] = [("queries", [("type", type)]) for type in batch]
            fields.append(("asOfVersion", self._connection.api_version))
            properties += map(result_parsers.parse_file_properties, self._call("listMetadata", fields))
        return tuple(properties)

    def read_metadata(self, type: str, names: Iterable[str]) -> tuple[Component, ...]:
        """Read components by full name, without those that do not exist."""
        components: list[Component] = []
        for batch in _batches(list(names), READ_AT_ONCE):
            fields: list[tuple[str, soap.Node]] = [("type", type), *(("fullNames", name) for name in batch)]
            for record in soap.children(self._call_single("readMetadata", fields), "records"):
                full_name = soap.text(record, "fullName")
                if full_name:  # the org returns an empty record for an unknown name
                    components.append(from_element(type, full_name, record))
        return tuple(components)

    def rename_metadata(self, type: str, former: str, present: str) -> None:
        """
        Rename one component (renameMetadata), which keeps its values and assignments.

        Raises:
            OrgError: The org refuses the rename, for example of a field in a flow.

        """
        fields: soap.Fields = [("type", type), ("oldFullName", former), ("newFullName", present)]
        result = _single("renameMetadata", self._connection.call("renameMetadata", fields))
        if not soap.flag(result, "success"):
            errors = list(soap.children(result, "errors"))
            messages = "; ".join(soap.text(error, "message") for error in errors) or "no reason given"
            raise OrgError(messages, code=soap.text(errors[0], "statusCode") if errors else "")

    def describe_metadata(self) -> MetadataDescription:
        """Return the metadata types that the org has."""
        result = self._call_single("describeMetadata", [("asOfVersion", self._connection.api_version)])
        return MetadataDescription(
            types=tuple(map(result_parsers.parse_described_type, soap.children(result, "metadataObjects"))),
            namespace=soap.text(result, "organizationNamespace"),
            partial_save_allowed=soap.flag(result, "partialSaveAllowed"),
            test_required=soap.flag(result, "testRequired"),
        )

    def _start(self, operation: str, fields: soap.Fields) -> str:
        try:
            result = retry.call(
                lambda: self._connection.call(operation, fields, fresh=True), self._runtime, repeatable=False
            )
        except NoAnswer as error:
            if not error.sent:
                raise
            raise OrgUnreachable(
                f"The response to the deployment was lost, so it may or may not be running: {error.message}",
                "Open Setup > Deployment Status first. If the deployment is listed, follow it with "
                "`sfcode apply --attach ID`; otherwise start again.",
            ) from error
        # deployRecentValidation returns the ID itself, deploy an AsyncResult.
        deploy_id = next((soap.text(element, "id") or (element.text or "").strip() for element in result), "")
        if not deploy_id:
            raise OrgError("The org returned no deployment ID.", "Open Setup > Deployment Status.")
        return deploy_id

    def _status(self, deploy_id: str, details: bool) -> DeployResult:
        fields: soap.Fields = [("asyncProcessId", deploy_id), ("includeDetails", details)]
        return result_parsers.parse_deploy_result(
            _single("checkDeployStatus", self._connection.call("checkDeployStatus", fields))
        )

    def _wait_for(self, retrieve_id: str, timeout: float) -> etree._Element:
        runtime = self._runtime
        started = runtime.clock()
        for pause in pauses():
            result = self._call_single("checkRetrieveStatus", [("asyncProcessId", retrieve_id), ("includeZip", True)])
            if soap.flag(result, "done"):
                return result
            if runtime.clock() - started > timeout:
                break
            runtime.sleep(pause)
        raise OrgUnreachable(f"The org did not finish the retrieve {retrieve_id} in {timeout:.0f} s.")

    def _parse_retrieve(self, result: etree._Element) -> Retrieved:
        if not soap.flag(result, "success"):
            code, message = soap.text(result, "errorStatusCode"), soap.text(result, "errorMessage")
            status = soap.text(result, "status")
            raise OrgError(f"The retrieve failed: {code or status}: {message or 'no reason given'}", code=code)
        try:
            files = unzip(base64.b64decode(soap.text(result, "zipFile")))
        except binascii.Error as error:
            raise soap.NotSoap("The org's retrieve contains no zip file.") from error
        return Retrieved(
            files={name.removeprefix("unpackaged/"): data for name, data in files.items()},
            messages=tuple(soap.text(message, "problem") for message in soap.children(result, "messages")),
            properties=tuple(map(result_parsers.parse_file_properties, soap.children(result, "fileProperties"))),
        )

    def _call(self, operation: str, fields: soap.Fields) -> tuple[etree._Element, ...]:
        return self._read(lambda: self._connection.call(operation, fields))

    def _call_single(self, operation: str, fields: soap.Fields) -> etree._Element:
        return _single(operation, self._call(operation, fields))

    def _read(self, action: Callable[[], retry.Answer]) -> retry.Answer:
        return retry.call(action, self._runtime)


def _single(operation: str, results: tuple[etree._Element, ...]) -> etree._Element:
    if len(results) != 1:
        raise soap.NotSoap(f"The org answered {operation} with {len(results)} results instead of one.")
    return results[0]


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
