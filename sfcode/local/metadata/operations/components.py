"""createMetadata, readMetadata, updateMetadata, upsertMetadata and deleteMetadata: single components without a zip."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from sfcode.local.http import soap
from sfcode.local.metadata.deploy.engine import deploy
from sfcode.local.metadata.deploy.jobs import LOCKED
from sfcode.local.metadata.deploy.manifests import Deletion
from sfcode.local.metadata.deploy.messages import ComponentMessage
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.deploy.package import Package
from sfcode.local.metadata.deploy.package_items import PackageItem, find_problems
from sfcode.local.metadata.deploy.rename import rename as rename_component
from sfcode.local.metadata.deploy.store import Author
from sfcode.local.metadata.inventory import InventoryEntry, list_children, list_entries
from sfcode.local.metadata.operations.request import OperationRequest, check_type
from sfcode.local.metadata.org_form import org_form
from sfcode.local.metadata.versions import find_newer, is_beyond_schema
from sfcode.local.store import OrgTransaction, Store, Undo
from sfcode.metadata import schema_table
from sfcode.metadata.component import Address, Component
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.types import CHILDREN, TYPES
from sfcode.metadata.xml import children_of, from_element, sort_children, to_element
from sfcode.metadata.xml_positions import Span

MAX_COMPONENTS = 10
"""The maximum number of components in a call: https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_createMetadata.htm"""
MAX_COMPONENTS_BY_TYPE = {"CustomApplication": 200, "CustomMetadata": 200}
"""The maximum number of components in a call, for the types that allow more."""

STRICT = DeployRequestOptions(rollbackOnError=True, ignoreWarnings=True)
"""The options for the deploy of one component, which is all or nothing."""

ROLLED_BACK = "Record rolled back because not all records were valid and the request was using AllOrNone header"
XSI_TYPE = f"{{{soap.XSI}}}type"
NIL = {"@xsi:nil": "true"}


def read(request: OperationRequest) -> list[soap.Node]:
    """Return components as XML; a missing one is nil."""
    type_ = check_type(request.require("type"))
    names = _check_count(type_, soap.texts(request.element, "fullNames"))
    records: list[soap.Node] = []
    with request.context.store.read() as tx:
        entries = {entry.component.full_name.lower(): entry for entry in list_entries(tx, type_)}
        for name in names:
            entry = entries.get(name.lower())
            records.append(NIL if entry is None else _record(tx, entry, float(request.api_version)))
    return [{"records": records}]


def _record(tx: OrgTransaction, entry: InventoryEntry, api_version: float) -> soap.Node:
    component = entry.component
    if schema_table.elements(component.type) is None:
        return {"@xsi:type": component.type, "fullName": component.full_name}
    root = to_element(org_form(component, api_version))
    for stored in list_children(tx, component) if component.type in CHILDREN else ():
        child = org_form(stored.component, api_version)
        root.append(to_element(child, TYPES[child.type].element))
    sort_children(root, component.type)
    parts = [soap.Raw(part) for part in _inner(root)]
    return {"@xsi:type": component.type, "fullName": component.full_name, "*": parts}


def _inner(root: etree._Element) -> Iterator[str]:
    for name, child in list(children_of(root)):
        if name != "fullName":
            root.remove(child)
            child.tail = None
            # The envelope declares the namespace. If it were declared again, some clients would read the declaration as
            # data.
            for element in child.iter("*"):
                element.tag = etree.QName(element).localname
            etree.cleanup_namespaces(child)
            yield etree.tostring(child, encoding="unicode")


def create(request: OperationRequest) -> list[soap.Node]:
    """Create components."""
    return [save_result(*saved) for saved in _save(request, new=True)]


def update(request: OperationRequest) -> list[soap.Node]:
    """Update components."""
    return [save_result(*saved) for saved in _save(request, new=False)]


def upsert(request: OperationRequest) -> list[soap.Node]:
    """Create or update components."""
    return [
        {"created": any(message.created for message in messages), **save_result(name, messages)}
        for name, messages in _save(request, new=None)
    ]


def delete(request: OperationRequest) -> list[soap.Node]:
    """Delete components, each independently."""
    type_ = check_type(request.require("type"))
    results: list[soap.Node] = []
    for name in _check_count(type_, soap.texts(request.element, "fullNames")):
        package = Package(api_version=float(request.api_version), before=(Deletion(Address(type_, name), ""),))
        messages = _deploy(request, package)
        absent = [message for message in messages if message.problem_type == "Warning"]
        if absent:
            messages = [ComponentMessage.error(f"no {type_} named {name} found", name, type_)]
        results.append(save_result(name, messages))
    return results


def check_not_deploying(request: OperationRequest) -> None:
    """Refuse a change while a deploy is running. Raises SoapFault."""
    if request.jobs.busy():
        raise soap.SoapFault("ALREADY_IN_PROCESS", LOCKED)


def _check_count(type_: str, names: list[str]) -> list[str]:
    most = MAX_COMPONENTS_BY_TYPE.get(type_, MAX_COMPONENTS)
    if len(names) > most:
        raise soap.SoapFault("LIMIT_EXCEEDED", f"You can specify at most {most} components of type {type_} in one call")
    return names


def _metadata_elements(request: OperationRequest) -> list[etree._Element]:
    elements = list(soap.children(request.element, "metadata"))
    _check_count(_type_of(elements[0]) if elements else "", [""] * len(elements))
    return elements


def _type_of(element: etree._Element) -> str:
    return str(element.get(XSI_TYPE) or "").rpartition(":")[2]


Messages = list[ComponentMessage]


def _save(request: OperationRequest, *, new: bool | None) -> list[tuple[str, Messages]]:
    """Save the components of a call, independently, or all or none if the call asks for it."""
    prepared = [_prepare(request, element, new=new) for element in _metadata_elements(request)]
    version = float(request.api_version)
    if not request.all_or_none:
        return [
            (name, refusals or _deploy(request, Package(api_version=version, items=items)))
            for name, items, refusals in prepared
        ]
    messages = [message for _, _, refusals in prepared for message in refusals]
    if not messages:
        all_items = tuple(item for _, items, _ in prepared for item in items)
        messages = _deploy(request, Package(api_version=version, items=all_items))
    failed = [message for message in messages if not message.success]
    results: list[tuple[str, Messages]] = []
    for name, items, refusals in prepared:
        names = {item.component.full_name for item in items}
        own = refusals or [message for message in failed or messages if message.full_name in names]
        if failed and not own:
            own = [ComponentMessage.error(ROLLED_BACK, name)]
        results.append((name, own))
    return results


def _prepare(
    request: OperationRequest, element: etree._Element, *, new: bool | None
) -> tuple[str, tuple[PackageItem, ...], Messages]:
    """Return the name of a component, its items to deploy, and the messages of a refusal."""
    type_, name = _type_of(element), soap.text(element, "fullName") or ""

    def refuse(problem: str) -> tuple[str, tuple[PackageItem, ...], Messages]:
        return name, (), [ComponentMessage.error(problem, name, type_)]

    if not name or schema_table.elements(type_) is None:
        return refuse("Required field is missing: fullName" if not name else f"Unknown type:{type_}")
    for child in element.iter("*"):
        child.tag = f"{{{schema_table.NAMESPACE}}}{etree.QName(child).localname}"
    spans = {node: Span() for node in element.iter("*")}
    lenient = is_beyond_schema(float(request.api_version))
    problems = find_problems(element, type_, spans, lenient=lenient)
    if problems:
        return refuse(problems[0].message)
    try:
        components = list(_components(type_, name, element, lenient=lenient))
    except MetadataError as error:
        return refuse(error.problem)
    newer = next((problem for node in components for problem in find_newer(node, float(request.api_version))), None)
    if newer is not None:
        return refuse(newer)
    exists = _exists(request.context.store, components[-1])
    if new is True and exists:
        return refuse(f"There is already a {type_} named {name}")
    if new is False and not exists:
        return refuse(f"no {type_} named {name} found")
    return name, tuple(PackageItem(component, "") for component in components), []


def _exists(store: Store, component: Component) -> bool:
    with store.read() as tx:
        return any(
            entry.component.full_name.lower() == component.full_name.lower()
            for entry in list_entries(tx, component.type)
        )


def _components(type_: str, name: str, element: etree._Element, *, lenient: bool) -> Iterator[Component]:
    for tag, child in list(children_of(element)):
        child_type = CHILDREN.get(type_, {}).get(tag)
        if child_type is not None:
            yield from_element(child_type, f"{name}.{soap.text(child, 'fullName') or ''}", child, lenient=lenient)
            element.remove(child)
    yield from_element(type_, name, element, lenient=lenient)


def _deploy(request: OperationRequest, package: Package) -> list[ComponentMessage]:
    check_not_deploying(request)
    author = Author(request.session.user_id, request.context.clock.now(), package.api_version)
    outcome = deploy(request.context.store, package, STRICT, author, lambda _tx, _outcome: None)
    return [message for message in outcome.messages if message.component_type or not message.success or message.problem]


def save_result(name: str, messages: list[ComponentMessage]) -> dict[str, soap.Node]:
    """Return the result of one component."""
    errors: list[soap.Node] = [
        {"message": message.problem, "statusCode": _code(message.problem)}
        for message in messages
        if not message.success
    ]
    return {"errors": errors, "fullName": name, "success": not errors}


def _code(problem: str) -> str:
    if problem == ROLLED_BACK:
        return "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    if problem.startswith("In field:") or problem.endswith(" found"):
        return "INVALID_CROSS_REFERENCE_KEY"
    if problem.startswith("There is already"):
        return "DUPLICATE_DEVELOPER_NAME"
    return "FIELD_INTEGRITY_EXCEPTION"


def rename(request: OperationRequest) -> list[soap.Node]:
    """Rename one component."""
    type_, old, new = (request.require(name) for name in ("type", "oldFullName", "newFullName"))
    check_type(type_)
    check_not_deploying(request)
    author = Author(request.session.user_id, request.context.clock.now(), float(request.api_version))
    messages: Messages = []
    with request.context.store.transaction() as tx:
        problem = rename_component(tx, Address(type_, old), new, author)
        if problem is not None:
            messages.append(ComponentMessage.error(problem, old, type_))
            raise Undo
    return [save_result(old if messages else new, messages)]
