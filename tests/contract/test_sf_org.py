"""The unmodified sf CLI against the local org and the named org: sign-in, bulk records, users and limits."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sfcode.local.store import Store
from sfcode.org import Org
from tests.contract.project import INTEGRATION_USER, Rendered, bodies, deploy
from tests.contract.sf import SfCli
from tests.contract.target_org import TargetOrg, rows
from tests.waiting import PATIENCE

RECORDED = pytest.mark.recorded("@salesforce/cli", "with_integration_user")
ORGANIZATION = "SELECT Name FROM Organization"


@RECORDED
def test_signing_in_with_a_token(sf_cli: SfCli, org: TargetOrg) -> None:
    """sf finds the user of a token, and shows the user and the limits of the org."""
    if org.is_real:
        sf_cli.environ |= org.environ
    sf_cli("org login access-token --no-prompt --alias local --instance-url", org.url, SF_ACCESS_TOKEN=org.access_token)
    answer = sf_cli("org display user --target-org local")
    assert (answer["result"]["username"], answer["result"]["orgId"]) == (org.username, org.org_id)
    (user,) = rows(org.client, f"SELECT Profile.Name FROM User WHERE Id = '{org.user_id}'")
    assert answer["result"]["profileName"] == user["Profile"]["Name"]
    answer = sf_cli("org list limits --target-org local")
    limits = {limit["name"]: limit for limit in answer["result"]}
    assert 0 < limits["DailyApiRequests"]["remaining"] <= limits["DailyApiRequests"]["max"]


@pytest.mark.local_only("an app is registered by a control route, and its session ended in the org's file")
def test_signing_in_with_a_key(sf_cli: SfCli, org: TargetOrg, state: Path, client: Org, tmp_path: Path) -> None:
    """sf signs in as the user with the app's key, and signs in again when the session has ended."""
    key, certificate = key_and_certificate()
    (tmp_path / "app.key").write_bytes(key)
    app = {
        "name": "sf",
        "consumer_key": "3MVG9.contract",
        "certificate": certificate,
        "users": [org.username],
    }
    registered = requests.post(
        f"{org.url}/services/sfcode/apps",
        json=app,
        headers={"Authorization": f"Bearer {org.access_token}"},
        timeout=PATIENCE,
    )
    assert registered.status_code == 201, registered.text
    answer = sf_cli(
        "org login jwt --client-id 3MVG9.contract --alias local",
        *("--jwt-key-file", str(tmp_path / "app.key"), "--username", org.username, "--instance-url", org.url),
    )
    assert (answer["result"]["username"], answer["result"]["orgId"]) == (org.username, org.org_id)
    with Store(state / "org.db") as store:
        with store.transaction() as tx:
            (first,) = tokens(tx) - {org.access_token}
            assert tx.sessions.delete(first)
        answer = sf_cli("data query --target-org local -q", ORGANIZATION)
        assert [row["Name"] for row in answer["result"]["records"]] == ["Northwind Traders"]
        with store.read() as tx:
            assert len(tokens(tx) - {org.access_token, first}) == 1


def tokens(tx: Any) -> set[str]:
    return {row[0] for row in tx._db.execute("SELECT token FROM session")}


def key_and_certificate() -> tuple[bytes, str]:
    """Create a key and a certificate, as a person does with openssl for a connected app."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sf")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, certificate.public_bytes(pem).decode()


@pytest.mark.local_only("it serves with a certificate of its own, which no machine trusts")
def test_all_commands_work_over_tls(
    sf_cli: SfCli, org: TargetOrg, package: Rendered, client: Org, tmp_path: Path
) -> None:
    """If sf trusts the certificate, it signs in, queries, and deploys over REST and SOAP; otherwise it does not connect."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(org.certificate)}
    project = package.lay_out(tmp_path / "project")
    sf_cli.environ["SF_ACCESS_TOKEN"] = org.access_token
    login = f"org login access-token --no-prompt --alias local --instance-url {org.tls_url}"
    refused = sf_cli(login, code=1)
    assert "fetch failed" in str(refused["message"])
    sf_cli(login, **trusted)
    command = "project deploy start -d force-app --target-org local"
    sf_cli(command, folder=project, SF_ORG_METADATA_REST_DEPLOY="true", **trusted)
    assert bodies(client, package.bodies) == package.bodies
    answer = sf_cli(command, folder=project, SF_ORG_METADATA_REST_DEPLOY="false", **trusted)
    assert answer["result"]["success"]
    answer = sf_cli("data query --target-org local -q", ORGANIZATION, **trusted)
    assert [row["Name"] for row in answer["result"]["records"]] == ["Northwind Traders"]
    assert not [warning for warning in answer.get("warnings", []) if "insecure" in warning]


@RECORDED
def test_records_of_a_file_are_upserted_in_bulk(
    at_org: SfCli, org: TargetOrg, client: Org, package: Rendered, tmp_path: Path
) -> None:
    """The first upsert creates the records, the second one finds them by their external ID."""
    deploy(client, package)
    # Without field access nobody can read a deployed field, including the administrator.
    (permissions,) = rows(client, package.named("SELECT Id FROM PermissionSet WHERE Name = 'Appcues_Integration'"))
    client.rest.PermissionSetAssignment.create(
        {"AssigneeId": client.identity.user_id, "PermissionSetId": permissions["Id"]}
    )
    contact = client.create("Contact", {"LastName": org.word})
    key, subject = package.named("Appcues_Event_Id__c"), f"{org.word} NPS, 9"
    with (tmp_path / "events.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([key, "Subject", "StartDateTime", "DurationInMinutes", "WhoId"])
        table.writerow(["k1", subject, "2026-01-01T10:00:00Z", "15", contact])
    for created in (True, False):
        answer = at_org(f"data upsert bulk -s Event -i {key} -w 1 -f", str(tmp_path / "events.csv"))
        (record,) = answer["result"]["records"]["successfulResults"]
        assert record["sf__Created"] == str(created).lower()
        records = rows(client, f"SELECT Subject, WhoId FROM Event WHERE Subject LIKE '{org.word}%'")
        assert records == [{"Subject": subject, "WhoId": contact}]


@RECORDED
@pytest.mark.local_only("a user cannot be removed again")
def test_a_user_gets_a_license_and_a_permission_set(at_org: SfCli, client: Org, package: Rendered) -> None:
    """Without the license the org refuses the permission set; after the license, the permission set is assigned too."""
    deploy(client, package)
    to = f"--on-behalf-of {INTEGRATION_USER}"
    refused = at_org(f"org assign permset -n Appcues_Integration {to}", code=1)
    (failure,) = refused["result"]["failures"]
    assert failure["name"] == INTEGRATION_USER
    assert "Can't assign permission set" in failure["message"]
    at_org(f"org assign permsetlicense -n SalesforceAPIIntegrationPsl {to}")
    at_org(f"org assign permset -n Appcues_Integration {to}")
    condition = f"WHERE Assignee.Username = '{INTEGRATION_USER}'"
    assert rows(client, f"SELECT PermissionSetLicense.DeveloperName FROM PermissionSetLicenseAssign {condition}")
    sets = rows(client, f"SELECT PermissionSet.Name FROM PermissionSetAssignment {condition}")
    assert "Appcues_Integration" in {row["PermissionSet"]["Name"] for row in sets}
