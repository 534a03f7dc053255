"""A local org over HTTP, and helpers for tests of its Metadata API."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from sfcode.local import LocalOrg, serve
from sfcode.local.store import Store
from tests.waiting import PATIENCE

NS = "http://soap.sforce.com/2006/04/metadata"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
USER = "sam.seller@northwind.example"


class Fault(Exception):
    """A SOAP fault: code and text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


@dataclass
class Result:
    """A finished deploy."""

    id: str
    status: str
    report: dict[str, Any]

    @property
    def failures(self) -> list[dict[str, str]]:
        return self.report["failures"]

    @property
    def successes(self) -> list[dict[str, str]]:
        return self.report["successes"]

    @property
    def problems(self) -> list[str]:
        return [failure["problem"] for failure in self.failures]

    def of(self, full_name: str) -> dict[str, str]:
        return next(message for message in [*self.failures, *self.successes] if message["fullName"] == full_name)


class Client:
    """A client that sends raw requests to a local org."""

    def __init__(self, org: LocalOrg, state: Path) -> None:
        self.org = org
        self.token = org.access_token
        self.state = state

    def soap(self, body: str, *, path: str = "62.0", namespace: str = NS) -> etree._Element:
        envelope = (
            f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header xmlns="{namespace}">'
            f"<SessionHeader><sessionId>{self.token}</sessionId></SessionHeader></e:Header>"
            f'<e:Body xmlns="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{body}</e:Body></e:Envelope>'
        )
        return self.raw(f"/services/Soap/m/{path}", envelope.encode())

    def raw(self, path: str, data: bytes) -> etree._Element:
        request = urllib.request.Request(self.org.url + path, data, {"Content-Type": "text/xml", "SOAPAction": '""'})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return etree.fromstring(response.read())
        except urllib.error.HTTPError as error:
            with error:
                root = etree.fromstring(error.read())
            code, text = (root.findtext(f".//{name}") or "" for name in ("faultcode", "faultstring"))
            raise Fault(code, text) from None

    def rest(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        data: bytes | None = None,
        content_type: str = "application/json",
    ) -> tuple[int, Any]:
        content = json.dumps(body).encode() if body is not None else data
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        request = urllib.request.Request(self.org.url + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def start(self, zipped: bytes, **options: object) -> str:
        deploy_options = {"rollbackOnError": True, "singlePackage": True} | options
        flags = "".join(
            f"<{name}>{str(value).lower() if isinstance(value, bool) else value}</{name}>"
            for name, value in deploy_options.items()
        )
        encoded = base64.b64encode(zipped).decode()
        root = self.soap(f"<deploy><ZipFile>{encoded}</ZipFile><DeployOptions>{flags}</DeployOptions></deploy>")
        return root.findtext(f".//{{{NS}}}id") or ""

    def finish(self, deploy_id: str) -> Result:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            root = self.soap(
                f"<checkDeployStatus><asyncProcessId>{deploy_id}</asyncProcessId><includeDetails>true</includeDetails></checkDeployStatus>"
            )
            result_element = root.find(f".//{{{NS}}}result")
            assert result_element is not None
            if result_element.findtext(f"{{{NS}}}done") == "true":
                report: dict[str, Any] = {etree.QName(child).localname: child.text for child in result_element}
                report["failures"] = [_flat(child) for child in result_element.iter(f"{{{NS}}}componentFailures")]
                report["successes"] = [_flat(child) for child in result_element.iter(f"{{{NS}}}componentSuccesses")]
                return Result(deploy_id, str(report["status"]), report)
        raise AssertionError("the deploy did not end")

    def deploy(self, files: Mapping[str, bytes | str], **options: object) -> Result:
        return self.finish(self.start(zipped(files), **options))

    def retrieve(
        self, members: Mapping[str, list[str]], *, version: str = "62.0", single: bool = False
    ) -> dict[str, Any]:
        types = "".join(
            f"<types>{''.join(f'<members>{escape(name)}</members>' for name in names)}<name>{type_}</name></types>"
            for type_, names in members.items()
        )
        root = self.soap(
            f"<retrieve><request><apiVersion>{version}</apiVersion><singlePackage>{str(single).lower()}</singlePackage>"
            f"<unpackaged>{types}<version>{version}</version></unpackaged></request></retrieve>"
        )
        retrieve_id = root.findtext(f".//{{{NS}}}id")
        result_element = self.soap(
            f"<checkRetrieveStatus><asyncProcessId>{retrieve_id}</asyncProcessId></checkRetrieveStatus>"
        )
        data = base64.b64decode(result_element.findtext(f".//{{{NS}}}zipFile") or "")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        return {
            "files": files,
            "properties": [_flat(child) for child in result_element.iter(f"{{{NS}}}fileProperties")],
            "messages": [_flat(child) for child in result_element.iter(f"{{{NS}}}messages")],
        }

    def query(self, soql: str) -> list[dict[str, Any]]:
        status, document = self.rest("GET", f"/services/data/v62.0/tooling/query?q={urllib.request.quote(soql)}")
        assert status == 200, document
        return document["records"]

    def snapshot(self) -> object:
        """Return everything in the org that a deploy could change."""
        with Store(self.state / "org.db") as store, store.read() as tx:
            components = [
                (stored.component.type, stored.component.full_name, stored.component.canonical, stored.modified_at)
                for stored in tx.components.list_all()
            ]
            versions = [
                (version.full_name, version.number, version.status, version.body) for version in tx.flows.versions()
            ]
            return components, versions, tx.records.list_all("Contact"), tx.records.list_all("Lead")


def _flat(element: etree._Element) -> dict[str, str]:
    return {etree.QName(child).localname: child.text or "" for child in element}


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for folder in {name.rpartition("/")[0] for name in files if "/" in name}:
            archive.mkdir(folder)
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def manifest(members: Mapping[str, list[str]], version: str = "62.0") -> str:
    types = "".join(
        f"<types>{''.join(f'<members>{escape(name)}</members>' for name in names)}<name>{type_}</name></types>"
        for type_, names in members.items()
    )
    number = f"<version>{version}</version>" if version else ""
    return f'{HEAD}<Package xmlns="{NS}">{types}{number}</Package>'


class Kit:
    """Pieces of packages."""

    user = USER
    manifest = staticmethod(manifest)
    zipped = staticmethod(zipped)
    fault = Fault

    @staticmethod
    def wrap(root: str, *parts: str) -> str:
        """Join the parts of a file: each begins on a new line, the first one on line 3."""
        return HEAD + f'<{root} xmlns="{NS}">\n' + "".join(f"    {part}\n" for part in parts) + f"</{root}>\n"

    @staticmethod
    def field(name: str, inner: str = "<length>40</length><type>Text</type>", label: str | None = None) -> str:
        label_text = name.removesuffix("__c").replace("_", " ") if label is None else label
        text = f"<label>{label_text}</label>" if label_text else ""
        return f"<fields><fullName>{name}</fullName>{text}{inner}</fields>"

    @staticmethod
    def formula(name: str, text: str, kind: str = "Text") -> str:
        return Kit.field(name, f"<formula>{escape(text)}</formula><type>{kind}</type>")

    @staticmethod
    def message(
        name: str, *fields: str, user: str = USER, url: str = "https://relay.example.com/m?v=1", more: str = ""
    ) -> str:
        listed = "".join(f"<fields>{field}</fields>" for field in fields)
        return (
            f"<outboundMessages><fullName>{name}</fullName><apiVersion>62.0</apiVersion><endpointUrl>{escape(url)}</endpointUrl>"
            f"{listed}<includeSessionId>false</includeSessionId><integrationUser>{user}</integrationUser>"
            f"<name>{name.replace('_', ' ')}</name><protected>false</protected>{more}</outboundMessages>"
        )

    @staticmethod
    def rule(name: str, *parts: str, when: str = "onAllChanges", active: str = "true") -> str:
        return f"<rules><fullName>{name}</fullName>{''.join(parts)}<active>{active}</active><triggerType>{when}</triggerType></rules>"

    @staticmethod
    def sends(name: str) -> str:
        return f"<actions><name>{name}</name><type>OutboundMessage</type></actions>"

    @staticmethod
    def flow(
        message: str = "Contact.To_Relay",
        entry: str = "OR(ISNEW(), ISCHANGED({!$Record.Email}))",
        *,
        status: str = "Active",
        version: str = "62.0",
        when: str = "CreateAndUpdate",
        start: str = "",
        more: str = "",
        label: str = "To relay",
        target: str = "Send",
        trigger: str = "RecordAfterSave",
    ) -> str:
        condition = f"<filterFormula>{escape(entry)}</filterFormula>" if entry else ""
        return Kit.wrap(
            "Flow",
            "<actionCalls><name>Send</name><label>Send</label><locationX>0</locationX><locationY>0</locationY>"
            f"<actionName>{message}</actionName><actionType>outboundMessage</actionType></actionCalls>",
            f"<apiVersion>{version}</apiVersion>",
            f"<label>{label}</label>",
            "<processType>AutoLaunchedFlow</processType>",
            *([more] if more else []),
            f"<start><locationX>0</locationX><locationY>0</locationY><connector><targetReference>{target}</targetReference>"
            f"</connector>{condition}{start}<object>Contact</object><recordTriggerType>{when}</recordTriggerType>"
            f"<triggerType>{trigger}</triggerType></start>",
            f"<status>{status}</status>",
        )

    @staticmethod
    def permission_set(*parts: str, label: str = "Integration") -> str:
        return Kit.wrap("PermissionSet", *parts, f"<label>{label}</label>")

    @staticmethod
    def can(field: str, *, edit: bool = False) -> str:
        return (
            f"<fieldPermissions><editable>{str(edit).lower()}</editable><field>{field}</field>"
            "<readable>true</readable></fieldPermissions>"
        )

    @staticmethod
    def rights(name: str, *granted_rights: str) -> str:
        rights = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords")
        flags = "".join(f"<{right}>{str(right in granted_rights).lower()}</{right}>" for right in rights)
        view_all = str("viewAllRecords" in granted_rights).lower()
        return f"<objectPermissions>{flags}<object>{name}</object><viewAllRecords>{view_all}</viewAllRecords></objectPermissions>"

    @classmethod
    def good(cls) -> dict[str, str]:
        """A package as integrations deploy it: fields, a message, a flow, a permission set and a resource."""
        return {
            "package.xml": manifest(
                {
                    "CustomField": ["Activity.Source_Id__c", "Contact.External_Id__c", "Contact.Score__c"],
                    "Flow": ["To_Relay"],
                    "PermissionSet": ["Integration"],
                    "StaticResource": ["State"],
                    "WorkflowOutboundMessage": ["Contact.To_Relay"],
                }
            ),
            "objects/Contact.object": cls.wrap(
                "CustomObject",
                cls.formula("External_Id__c", 'IF(ISBLANK(Product_User_Id__c), "", TEXT(Product_User_Id__c))'),
                cls.field("Score__c", "<precision>3</precision><scale>0</scale><type>Number</type>"),
            ),
            "objects/Activity.object": cls.wrap(
                "CustomObject",
                cls.field(
                    "Source_Id__c",
                    "<externalId>true</externalId><length>80</length><type>Text</type><unique>true</unique>",
                ),
            ),
            "workflows/Contact.workflow": cls.wrap(
                "Workflow", cls.message("To_Relay", "Id", "Email", "External_Id__c", "SystemModstamp")
            ),
            "flows/To_Relay.flow": cls.flow(entry="OR(ISNEW(), ISCHANGED({!$Record.Product_User_Id__c}))"),
            "permissionsets/Integration.permissionset": cls.permission_set(
                cls.can("Contact.External_Id__c"),
                cls.can("Contact.Score__c", edit=True),
                cls.can("Event.Source_Id__c", edit=True),
                cls.can("Event.Description", edit=True),
                cls.rights("Contact", "allowRead", "allowEdit"),
                "<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>",
            ),
            "staticresources/State.resource": "{}",
            "staticresources/State.resource-meta.xml": cls.wrap(
                "StaticResource", "<cacheControl>Private</cacheControl>", "<contentType>application/json</contentType>"
            ),
        }


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    """Return the pieces of packages."""
    return Kit


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Client]:
    """Serve a fresh org to one test."""
    with serve(tmp_path) as served:
        yield Client(served, tmp_path)


@pytest.fixture
def client() -> Callable[[LocalOrg, Path], Client]:
    """Make a client for an org that the test serves itself."""
    return Client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Serve one org, with the good package in it, to tests that change nothing."""
    state = tmp_path_factory.mktemp("org")
    with serve(state) as served:
        client = Client(served, state)
        result = client.deploy(Kit.good())
        assert result.status == "Succeeded", result.failures
        yield client
