"""Deploys as jobs: queued, canceled, interrupted, and stored."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfcode.local import serve
from sfcode.local.metadata.deploy import engine, jobs
from tests.waiting import PATIENCE

NS = "http://soap.sforce.com/2006/04/metadata"

BLOCKING_SERVER = """
import sys, threading
from pathlib import Path
from sfcode.local import serve
from sfcode.local.metadata.deploy import engine

real = engine.problems
def blocking(subject):
    print("inside", flush=True)
    threading.Event().wait()
    return real(subject)

with serve(Path(sys.argv[1])) as org:
    engine.problems = blocking
    print(org.url, org.access_token, org.org_id, org.username, flush=True)
    threading.Event().wait()
"""


class Gate:
    """Blocks deploys when they open their package, until the test opens the gate."""

    def __init__(self, real) -> None:
        self._real = real
        self.inside = threading.Event()
        self.open = threading.Event()

    def __call__(self, *arguments):
        self.inside.set()
        assert self.open.wait(PATIENCE)
        return self._real(*arguments)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Block deploys when they open their package."""
    gate = Gate(engine.open_package)
    monkeypatch.setattr(engine, "open_package", gate)
    yield gate
    gate.open.set()


def status(org, deploy_id: str) -> str:
    root = org.soap(f"<checkDeployStatus><asyncProcessId>{deploy_id}</asyncProcessId></checkDeployStatus>")
    return root.findtext(f".//{{{NS}}}status")


def test_a_report_outlives_the_server(kit, client, tmp_path) -> None:
    """The next server with the same state returns the reports of the previous server's deploys."""
    with serve(tmp_path) as served:
        first_result = client(served, tmp_path).deploy(kit.good())
    with serve(tmp_path) as served:
        second_result = client(served, tmp_path).finish(first_result.id)
    assert second_result.report == first_result.report


def test_one_deploy_at_a_time(org, kit, gate) -> None:
    """A second deploy waits for the first, whose report has the status InProgress."""
    first = org.start(kit.zipped(kit.good()))
    assert gate.inside.wait(PATIENCE)
    second = org.start(kit.zipped(kit.good()))
    assert (status(org, first), status(org, second)) == ("InProgress", "Pending")
    gate.open.set()
    assert org.finish(first).of("To_Relay")["created"] == "true"
    assert org.finish(second).of("To_Relay")["changed"] == "false"


def test_a_second_server_of_the_process_does_not_abort_the_deploy(org, kit, client, gate, tmp_path) -> None:
    """The second server does not consider the deploy aborted while the first server works on it."""
    deploy_id = org.start(kit.zipped(kit.good()))
    assert gate.inside.wait(PATIENCE)
    with serve(tmp_path) as served:
        assert status(client(served, tmp_path), deploy_id) == "InProgress"
    gate.open.set()
    assert org.finish(deploy_id).status == "Succeeded"


def test_a_waiting_deploy_is_canceled_at_once(org, kit, gate) -> None:
    """The deploy never starts."""
    first = org.start(kit.zipped({"package.xml": kit.manifest({})} | _field(kit)))
    assert gate.inside.wait(PATIENCE)
    second = org.start(kit.zipped(kit.good()))
    root = org.soap(f"<cancelDeploy><String>{second}</String></cancelDeploy>")
    assert root.findtext(f".//{{{NS}}}done") == "true"
    gate.open.set()
    org.finish(first)
    result = org.finish(second)
    assert (result.status, result.report["canceledByName"]) == ("Canceled", "admin@northwind.example")
    assert org.retrieve({"Flow": ["To_Relay"]})["messages"]


def test_a_running_deploy_is_canceled_before_it_ends(org, kit, gate) -> None:
    """The transaction of the deploy is rolled back, and the deploy cannot be canceled again."""
    before = org.snapshot()
    deploy_id = org.start(kit.zipped(kit.good()))
    assert gate.inside.wait(PATIENCE)
    root = org.soap(f"<cancelDeploy>{deploy_id}</cancelDeploy>")
    assert root.findtext(f".//{{{NS}}}done") == "false"
    assert status(org, deploy_id) == "Canceling"
    gate.open.set()
    result = org.finish(deploy_id)
    assert result.status == "Canceled"
    assert org.snapshot() == before
    with pytest.raises(kit.fault) as error:
        org.soap(f"<cancelDeploy>{deploy_id}</cancelDeploy>")
    assert error.value.text == "INVALID_ID_FIELD: Deployment already completed"


def _field(kit) -> dict[str, str]:
    return {
        "package.xml": kit.manifest({"CustomField": ["Contact.One__c"]}),
        "objects/Contact.object": kit.wrap("CustomObject", kit.field("One__c")),
    }


def test_a_server_killed_in_the_middle_leaves_the_org_as_before(kit, client, tmp_path) -> None:
    """After SIGKILL in the transaction nothing is changed, the deploy is reported as failed, and the next one succeeds."""
    with subprocess.Popen(
        [sys.executable, "-c", BLOCKING_SERVER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as server:
        from sfcode.local import LocalOrg

        assert server.stdout is not None
        remote = client(LocalOrg(*server.stdout.readline().split()), tmp_path)
        before = remote.snapshot()
        deploy_id = remote.start(kit.zipped(kit.good()))
        assert server.stdout.readline() == "inside\n"
        assert status(remote, deploy_id) == "InProgress"
        server.send_signal(signal.SIGKILL)
        server.wait(PATIENCE)
    with serve(tmp_path) as served:
        org = client(served, tmp_path)
        assert org.snapshot() == before
        result = org.finish(deploy_id)
        assert (result.status, result.report["errorStatusCode"]) == ("Failed", "UNKNOWN_EXCEPTION")
        assert "Nothing was changed" in result.report["errorMessage"]
        assert org.deploy(kit.good()).status == "Succeeded"


def test_an_unexpected_exception_fails_only_its_deploy(org, kit, monkeypatch, caplog) -> None:
    """An unexpected exception is reported as an internal error of the org, and the next deploys run."""

    def fail(_subject):
        raise RuntimeError("boom")

    before = org.snapshot()
    with monkeypatch.context() as patch:
        patch.setattr(engine, "problems", fail)
        result = org.deploy(kit.good())
    assert (result.status, result.report["errorStatusCode"]) == ("Failed", "UNKNOWN_EXCEPTION")
    assert "boom" in caplog.text
    assert org.snapshot() == before
    assert org.deploy(kit.good()).status == "Succeeded"


def test_only_the_last_retrieves_are_stored(org) -> None:
    """Older retrieves are deleted, so that the state does not grow with every command."""
    ids = []
    for _ in range(25):
        root = org.soap("<retrieve><request><apiVersion>62.0</apiVersion></request></retrieve>")
        ids.append(root.findtext(f".//{{{NS}}}id"))

    def exists(job: str) -> bool:
        root = org.soap(f"<checkStatus><asyncProcessId>{job}</asyncProcessId></checkStatus>")
        return root.findtext(f".//{{{NS}}}state") == "Completed"

    assert [exists(job) for job in ids] == [False] * 5 + [True] * 20


def test_a_running_deploy_locks_the_setup(org, kit, gate) -> None:
    """Single components and flows are locked until the deploy ends."""
    deploy_id = org.start(kit.zipped(kit.good()))
    assert gate.inside.wait(PATIENCE)
    call = "<deleteMetadata><type>PermissionSet</type><fullNames>Nobody</fullNames></deleteMetadata>"
    with pytest.raises(kit.fault) as error:
        org.soap(call)
    assert error.value.code == "sf:ALREADY_IN_PROCESS"
    gate.open.set()
    org.finish(deploy_id)
    assert org.soap(call).findtext(f".//{{{NS}}}statusCode") == "INVALID_CROSS_REFERENCE_KEY"


def test_only_the_last_deploys_are_stored(org, kit, monkeypatch) -> None:
    """Older reports are deleted from the state, and the newest are kept."""
    monkeypatch.setattr(jobs, "MAX_KEPT", 3)
    ids = [org.deploy(_field(kit)).id for _ in range(6)]
    with pytest.raises(kit.fault) as error:
        org.finish(ids[0])
    assert error.value.code == "sf:INVALID_CROSS_REFERENCE_KEY"
    assert org.finish(ids[-1]).status == org.finish(ids[-2]).status == "Succeeded"
