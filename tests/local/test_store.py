from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sfcode.errors import SfcodeError
from sfcode.local.store import Store
from sfcode.metadata.component import Component
from tests.local.conftest import NOON

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 19, 12, 0, tzinfo=UTC)
FIELD = Component("CustomField", "Contact.A__c", {"type": "Text", "length": 80})


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "org.db") as store:
        yield store


def test_a_component_put_again_unchanged_keeps_its_id_and_its_times(store: Store) -> None:
    with store.transaction() as tx:
        first = tx.components.put(FIELD, user_id="a", now=NOW)
        second = tx.components.put(FIELD, user_id="b", now=LATER)
        stored = tx.components.get("CustomField", "Contact.A__c")
    assert (first.created, first.changed) == (True, True)
    assert (second.created, second.changed, second.id) == (False, False, first.id)
    assert stored is not None
    assert (stored.modified_by, stored.modified_at) == ("a", "2026-03-18T12:00:00.000+0000")


def test_a_component_that_changes_keeps_its_creator(store: Store) -> None:
    with store.transaction() as tx:
        tx.components.put(FIELD, user_id="a", now=NOW)
        outcome = tx.components.put(Component("CustomField", "Contact.A__c", {"type": "Text"}), user_id="b", now=LATER)
        stored = tx.components.get("CustomField", "Contact.A__c")
    assert (outcome.created, outcome.changed) == (False, True)
    assert stored is not None
    assert (stored.created_by, stored.modified_by) == ("a", "b")


def test_the_file_of_an_unmodeled_type_is_stored_unchanged(store: Store) -> None:
    with store.transaction() as tx:
        tx.components.put(Component("ApexClass", "A"), user_id="a", now=NOW, raw=b"class A {}\r\n")
        outcome = tx.components.put(Component("ApexClass", "A"), user_id="a", now=NOW, raw=b"class A { }")
        stored = tx.components.get("ApexClass", "A")
    assert outcome.changed
    assert stored is not None
    assert stored.raw == b"class A { }"


def test_children_of_one_container_are_found_without_those_of_its_namesakes(store: Store) -> None:
    with store.transaction() as tx:
        for name in ("Contact.A__c", "contact.B__c", "ContactPoint.C__c", "Contact"):
            tx.components.put(Component("CustomField", name), user_id="a", now=NOW)
        children = tx.components.children("CustomField", "Contact")
    assert [stored.component.full_name for stored in children] == ["Contact.A__c", "contact.B__c"]


def test_a_flow_is_seen_as_its_active_version_else_as_its_newest(store: Store) -> None:
    with store.transaction() as tx:
        tx.flows.add_version(Component("Flow", "F", {"label": "1", "status": "Active"}), user_id="a", now=NOW)
        tx.flows.add_version(Component("Flow", "F", {"label": "2", "status": "Draft"}), user_id="a", now=NOW)
        active = tx.components.get("Flow", "F")
        tx.flows.activate("F", None, user_id="a", now=NOW)
        newest = tx.components.get("Flow", "F")
    assert active is not None
    assert newest is not None
    assert (active.component.body["label"], newest.component.body["label"]) == ("1", "2")


def test_activating_a_flow_version_retires_the_one_before(store: Store) -> None:
    with store.transaction() as tx:
        for label in "12":
            tx.flows.add_version(Component("Flow", "F", {"label": label, "status": "Active"}), user_id="a", now=NOW)
        deployed = [version.status for version in tx.flows.versions("F")]
        tx.flows.activate("F", 1, user_id="a", now=NOW)
        activated = [version.status for version in tx.flows.versions("F")]
    assert deployed == ["Obsolete", "Active"]
    assert activated == ["Active", "Obsolete"]


def test_the_number_of_a_deleted_flow_version_is_not_reused(store: Store) -> None:
    with store.transaction() as tx:
        for _ in range(2):
            tx.flows.add_version(Component("Flow", "F", {"status": "Draft"}), user_id="a", now=NOW)
        tx.flows.delete_version("F", 2)
        version = tx.flows.add_version(Component("Flow", "F", {"status": "Draft"}), user_id="a", now=NOW)
    assert version.number == 3


def test_deleting_the_last_version_of_a_flow_deletes_the_flow(store: Store) -> None:
    with store.transaction() as tx:
        version = tx.flows.add_version(Component("Flow", "F", {"status": "Draft"}), user_id="a", now=NOW)
        assert tx.flows.name(version.definition_id[:15]) == "F"
        assert tx.flows.delete_version("F", 1)
        assert tx.components.get("Flow", "F") is None
        assert tx.flows.name(version.definition_id) is None


def test_an_id_is_never_reused_even_after_its_row_is_deleted(store: Store) -> None:
    with store.transaction() as tx:
        first = tx.records.insert("Contact", {"LastName": "A"}, user_id="a", now=NOW)
        tx.records.delete("Contact", first)
        second = tx.records.insert("Contact", {"LastName": "B"}, user_id="a", now=NOW)
    assert first != second
    assert first.startswith("003")


def test_each_custom_object_has_a_key_prefix_of_its_own(store: Store) -> None:
    with store.transaction() as tx:
        prefixes = [tx.records.insert(name, {}, user_id="a", now=NOW)[:3] for name in ("A__c", "B__c", "A__c")]
    assert prefixes == ["a00", "a01", "a00"]


def test_a_record_is_found_by_15_and_18_characters_and_by_a_value_in_any_case(store: Store) -> None:
    with store.transaction() as tx:
        record_id = tx.records.insert("Contact", {"LastName": "Kim", "N__c": 7.0}, user_id="a", now=NOW)
        assert tx.records.get("Contact", record_id[:15]) == tx.records.get("Contact", record_id) is not None
        assert tx.records.object_of(record_id) == "Contact"
        assert [row["Id"] for row in tx.records.find("Contact", "LastName", "KIM")] == [record_id]
        assert [row["Id"] for row in tx.records.find("Contact", "N__c", 7)] == [record_id]
        assert tx.records.get("Lead", record_id) is None


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with contextlib.suppress(ZeroDivisionError), store.transaction() as tx:
        tx.components.put(FIELD, user_id="a", now=NOW)
        raise ZeroDivisionError
    with store.read() as tx:
        assert tx.components.list_all() == []


def test_a_savepoint_undoes_its_own_part_only(store: Store) -> None:
    with store.transaction() as tx:
        tx.settings.set("a", "1")
        with contextlib.suppress(ZeroDivisionError), tx.savepoint():
            tx.settings.set("b", "2")
            raise ZeroDivisionError
    with store.read() as tx:
        assert (tx.settings.get("a"), tx.settings.get("b")) == ("1", None)


def test_a_reader_sees_one_state_while_another_thread_writes(store: Store) -> None:
    with store.transaction() as tx:
        tx.settings.set("a", "1")

    def write() -> None:
        with store.transaction() as tx:
            tx.settings.set("a", "2")

    with store.read() as tx:
        assert tx.settings.get("a") == "1"
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        assert tx.settings.get("a") == "1"
    with store.read() as tx:
        assert tx.settings.get("a") == "2"


def _add(path: Path, times: int) -> None:
    with Store(path) as store:
        for _ in range(times):
            with store.transaction() as tx:
                tx.settings.set("n", str(int(tx.settings.get("n") or 0) + 1))
                tx.records.insert("Contact", {"LastName": "x"}, user_id="a", now=NOW)


def test_processes_that_open_a_new_state_together_lose_no_write(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_add, args=(tmp_path / "org.db", 25)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Store(tmp_path / "org.db") as store, store.read() as tx:
        assert tx.settings.get("n") == "75"
        assert tx.records.count("Contact") == 75


def test_a_process_killed_inside_a_transaction_leaves_what_was_committed(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sfcode.local.store import Store
store = Store(Path({str(tmp_path / "org.db")!r}))
for number in range(3):
    with store.transaction() as tx:
        tx.settings.set("n", str(number))
with store.transaction() as tx:
    tx.settings.set("n", "half")
    tx.records.insert("Contact", {{}}, user_id="a", now=datetime.now(UTC))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    process = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[2], env=os.environ
    )
    assert process.returncode == -signal.SIGKILL
    with Store(tmp_path / "org.db") as store, store.read() as tx:
        assert tx.settings.get("n") == "2"
        assert tx.records.count("Contact") == 0


def test_a_state_of_a_newer_sfcode_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "org.db").close()
    db = sqlite3.connect(tmp_path / "org.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SfcodeError, match="newer sfcode"):
        Store(tmp_path / "org.db")


def test_a_file_that_is_no_database_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "org.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SfcodeError, match=r"org\.db.*not a database"):
        Store(tmp_path / "org.db")


def test_jobs_are_stored_with_their_bytes_and_replaced(store: Store) -> None:
    with store.transaction() as tx:
        deploy_id, retrieve_id = tx.deploys.new_id(), tx.retrieves.new_id()
        tx.deploys.put(deploy_id, {"status": "Pending"}, b"zip")
        tx.deploys.put(deploy_id, {"status": "Succeeded"})
        tx.retrieves.put(retrieve_id, {"status": "Succeeded"})
        assert tx.deploys.get(deploy_id[:15]) == {"status": "Succeeded"}
        assert tx.retrieves.payload(deploy_id) == b"zip"
        assert tx.deploys.list_all() == [{"status": "Succeeded"}]
        assert tx.deploys.get(retrieve_id) is None
        tx.retrieves.delete(deploy_id)
        assert tx.deploys.get(deploy_id) is None


def test_quick_find_returns_the_same_row_as_find(store: Store) -> None:
    """An index on a field is updated by every write, and ignores case; no row is found for null."""
    with store.transaction() as tx:
        contact = tx.records.insert("Contact", {"LastName": "Quick", "Ext__c": "Key-1"}, user_id="u", now=NOON)
        for value, expected in (("key-1", [contact]), ("KEY-1", [contact]), ("key-2", []), (None, []), (1, [])):
            assert [row["Id"] for row in tx.records.find_indexed("Contact", "Ext__c", value)] == expected
            assert tx.records.find_indexed("Contact", "Ext__c", value) == tx.records.find("Contact", "Ext__c", value)
        tx.records.update("Contact", contact, {"Ext__c": "key-2"}, user_id="u", now=NOON)
        assert [row["Id"] for row in tx.records.find_indexed("Contact", "Ext__c", "key-2")] == [contact]
        assert tx.records.find_indexed("Lead", "Ext__c", "key-2") == []
        tx.records.delete("Contact", contact)
        assert tx.records.find_indexed("Contact", "Ext__c", "key-2") == []
        with pytest.raises(ValueError, match="is no name of a field"):
            tx.records.find_indexed("Contact", "Ext__c'--", "x")
