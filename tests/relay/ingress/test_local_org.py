"""The local org sends outbound messages to the routes over HTTP."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sfcode.local import reset, serve
from tests.local.automation.building import Control, deploy, flow, message
from tests.local.conftest import HandClock, Rest
from tests.relay.ingress.asking import SALESFORCE_TOKEN, project
from tests.relay.ingress.served import Serving, serving

BY_EMAIL = """\
object: Contact
direction: to_appcues
user_id: Email
to_appcues: {attributes: {role: Title}}
"""


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("seed")
    reset(state, clock=HandClock(), rng=random.Random(1))
    return state


@contextmanager
def sending(seed: Path, folder: Path, *, organization: str | None = None) -> Iterator[tuple[Control, Serving, str]]:
    """Let the local org send a changed contact to the relay's routes; return also the contact's e-mail address."""
    shutil.copytree(seed, folder / "state")
    project(folder)
    (folder / "config" / "mappings" / "contact.yaml").write_text(BY_EMAIL)
    with serve(folder / "state", clock=HandClock(), rng=random.Random(2)) as org:
        rest = Rest(org)
        with rest.session, serving(folder / "config", organization=organization or org.org_id) as served:
            url = f"http://127.0.0.1:{served.port}/outbound-messages/contact/{SALESFORCE_TOKEN}?v=0a1b2c3d"
            deploy(org, message(url, ["Email", "SystemModstamp", "Title"]), flow({}))
            contact = rest.rows("SELECT Id, Email FROM Contact WHERE Email != null ORDER BY Id LIMIT 1")[0]
            rest("PATCH", f"/sobjects/Contact/{contact['Id']}", json={"Title": "Über & <Chief>"})
            yield Control(rest), served, contact["Email"]


def test_a_message_of_the_local_org_is_stored_and_acknowledged(seed: Path, tmp_path: Path) -> None:
    with sending(seed, tmp_path) as (control, served, email):
        control.arm("duplicate_delivery")
        tally = control.deliver()
        assert (tally["delivered"], tally["failed"], control.queue) == (1, 0, [])
        first, second = served.stored()
        assert first == second
        assert first["key"] == f"user:{email}"
        assert (first["kind"], first["version"], first["origin"]) == ("contact", "0a1b2c3d", "message")
        assert first["record"].keys() == {"Id", "Email", "SystemModstamp", "Title"}
        assert first["record"]["Title"] == "Über & <Chief>"
        assert first["id"] == first["notification"]


def test_a_message_of_another_org_is_refused_and_stays_queued(seed: Path, tmp_path: Path) -> None:
    with sending(seed, tmp_path, organization="00D000000000001EAA") as (control, served, _):
        assert control.deliver()["failed"] == 1
        (waiting,) = control.queue
        assert waiting["error"] == "the endpoint answered 403"
        assert served.stored() == []
