"""The repository's own project for the tested tools: rendered, with its secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sfcode.local import reset, serve
from sfcode.metadata.component import Address, Body, Component
from sfcode.metadata.normalize import normalize
from sfcode.metadata.package import read, zip_files
from sfcode.org import Org, connect
from sfcode.org.results import DeployOptions
from tests.contract.target_org import API_VERSION, CLIENT_VERSION, TargetOrg
from tests.e2e.journey import SECRET, Journey

PLACEHOLDER = b"${secret:SFCODE_RELAY_OUTBOUND_SECRET}"
INTEGRATION_USER = "appcues.integration@example.com.local"


@dataclass(frozen=True)
class Rendered:
    """The package in both layouts, and its components."""

    source: Mapping[str, bytes]
    mdapi: Mapping[str, bytes]
    name: str = "Appcues"
    """The prefix of the names of its components."""
    user: str = INTEGRATION_USER
    """The user whom the outbound messages name."""

    def named(self, text: str) -> str:
        """Replace the repository's project name by this project's name."""
        return text.replace("Appcues", self.name)

    def address(self, text: str) -> Address:
        return Address.parse(self.named(text))

    @property
    def components(self) -> tuple[Component, ...]:
        return read(self.mdapi)

    @property
    def bodies(self) -> dict[Address, Body]:
        """Return the bodies of the package in the form in which they are read from an org."""
        return {component.address: normalize(component).body for component in self.components}

    def lay_out(self, folder: Path) -> Path:
        """Write the project in source layout to a folder."""
        for name, data in self.source.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder


def renamed(journey: Journey, target_org: TargetOrg) -> Rendered:
    """Render the project for a named org: with other names, with its own fields, and for the signed-in user."""
    config = journey.folder / "config"
    (config / "mappings" / "lead.yaml").unlink()
    journey.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    journey.edit("mappings/contact.yaml", "Product_User_Id__c", target_org.number)
    journey.edit("mappings/contact.yaml", ": Appcues_User_Id__c", f": {target_org.word}_User_Id__c")
    journey.edit("mappings/contact.yaml", "Appcues_NPS_", f"{target_org.word}_NPS_")
    journey.edit("sfcode.yaml", "\nname: Appcues\n", f"\nname: {target_org.word}\n")
    journey.edit("sfcode.yaml", "appcues.integration@${user_domain}", target_org.username)
    journey.edit("sfcode.yaml", "http://127.0.0.1:8400", "https://relay.example.com")
    return replace(rendered(journey), name=target_org.word, user=target_org.username)


def rendered(journey: Journey) -> Rendered:
    """Run `sfcode render` for both layouts; the source project has the newest API version, like new projects of sf."""
    layouts = {}
    for layout in ("source", "mdapi"):
        result = journey.run("render", "--out", layout, "--layout", layout)
        assert result.code == 0, result.err
        layouts[layout] = {
            str(path.relative_to(journey.folder / layout)): path.read_bytes().replace(PLACEHOLDER, SECRET.encode())
            for path in (journey.folder / layout).rglob("*")
            if path.is_file()
        }
    project = json.loads(layouts["source"]["sfdx-project.json"])
    layouts["source"]["sfdx-project.json"] = json.dumps(project | {"sourceApiVersion": CLIENT_VERSION}).encode()
    return Rendered(**layouts)


def create_org(state: Path) -> None:
    """Create an org with the user of the project's outbound messages."""
    reset(state)
    with (
        serve(state) as org,
        connect(org.url, environ={"SF_ACCESS_TOKEN": org.access_token}, api_version=API_VERSION) as client,
    ):
        profile = client.rest.query("SELECT Id FROM Profile WHERE Name = 'Minimum Access - API Only Integrations'")
        client.rest.User.create(
            {
                "Username": INTEGRATION_USER,
                "LastName": "Integration",
                "Alias": "appcues",
                "Email": "admin@example.com",
                "ProfileId": profile["records"][0]["Id"],
                "TimeZoneSidKey": "GMT",
                "LocaleSidKey": "en_US",
                "EmailEncodingKey": "UTF-8",
                "LanguageLocaleKey": "en_US",
            }
        )


def bodies(client: Org, addresses: Iterable[Address]) -> dict[Address, Body]:
    """Read the components that exist, without elements that an org adds."""
    asked_addresses = set(addresses)
    members: dict[str, list[str]] = {}
    for address in asked_addresses:
        members.setdefault(address.type, []).append(address.full_name)
    files = client.metadata.retrieve(members).files
    return {
        component.address: normalize(component).body
        for component in read(files)
        if component.address in asked_addresses
    }


def deploy(client: Org, package: Rendered) -> None:
    """Deploy the package without the tested client."""
    result = client.metadata.follow(client.metadata.deploy(zip_files(package.mdapi), DeployOptions()))
    assert result.success, result.failures
