"""The text of a lock, its parsing, and the question of whether its holder still runs."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sfcode.apply import lock_holder
from sfcode.apply.lock_holder import RUNNING, Holder, LockInfo, describe_run, machine_id, read_holder
from sfcode.mapping.limits import DESCRIPTION_LENGTH

HOLDER = Holder("1a2b3c4d", "jane", "ci-7", 77, "9f8e7d6c", "apply")


def read_names(holder: Holder) -> tuple[str, str]:
    values = json.loads(holder.text())
    return values["user"], values["host"]


def test_the_text_contains_every_value_that_is_set_and_no_other() -> None:
    assert json.loads(HOLDER.text()) == {
        "id": "1a2b3c4d", "user": "jane", "host": "ci-7", "pid": 77, "machine": "9f8e7d6c", "verb": "apply"
    }  # fmt: skip
    complete = replace(HOLDER, plan="3f9a1c2b4d5e", deployment="0Af1", detached=True, beat=3)
    assert json.loads(complete.text())["deployment"] == "0Af1"
    assert read_holder(complete.text()) == complete


@pytest.mark.parametrize(
    ("length", "expected"),
    [(30, 30), (60, 60), (61, 60), (70, 60)],
)
def test_a_long_name_is_cut_to_60_characters(length: int, expected: int) -> None:
    assert read_names(replace(HOLDER, host="x" * length)) == ("jane", "x" * expected)
    assert read_names(replace(HOLDER, user="x" * length)) == ("x" * expected, "ci-7")


def test_names_that_do_not_fit_are_cut_to_24_characters_and_otherwise_left_out() -> None:
    long = replace(HOLDER, user="u" * 90, host="h" * 90, plan="0" * 12, deployment="0Af" + "0" * 15, detached=True)
    assert read_names(long) == ("u" * 24, "h" * 24)
    assert read_names(replace(long, user="é" * 90, host="é" * 90)) == ("", "")


def test_the_text_may_fill_the_description_exactly() -> None:
    short = replace(HOLDER, user="u" * 60, host="h" * 60)
    exact = replace(short, plan="p" * (DESCRIPTION_LENGTH - len(short.text()) - len(', "plan": ""')))
    assert len(exact.text()) == DESCRIPTION_LENGTH
    assert read_names(exact) == ("u" * 60, "h" * 60)
    assert read_names(replace(exact, plan=f"{exact.plan}p")) == ("u" * 24, "h" * 24)


def test_the_text_is_ascii_so_that_its_length_is_the_same_everywhere() -> None:
    assert replace(HOLDER, user="Zoë").text().isascii()
    assert read_names(replace(HOLDER, user="Zoë")) == ("Zoë", "ci-7")


@pytest.mark.parametrize("name", ["user", "host"])
def test_a_text_without_a_name_is_parsed(name: str) -> None:
    values = json.loads(HOLDER.text())
    del values[name]
    assert read_holder(json.dumps(values)) == replace(HOLDER, **{name: ""})


class TestDead:
    def test_is_no_holder_of_another_machine(self) -> None:
        assert not replace(describe_run("apply"), machine="another", pid=2**22 + 1).is_dead

    def test_is_a_holder_of_this_machine_whose_process_has_ended(self) -> None:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            holder = replace(describe_run("apply"), pid=other.pid)
            assert not holder.is_dead
            other.communicate(b"\n")
        assert holder.is_dead

    def test_is_a_run_of_this_process_that_does_not_hold_a_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock_holder, "RUNNING", {"other"})
        assert describe_run("apply").is_dead

    def test_is_no_run_of_this_process_that_holds_a_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        holder = describe_run("apply")
        monkeypatch.setattr(lock_holder, "RUNNING", {holder.id})
        assert not holder.is_dead

    def test_is_a_holder_with_the_id_of_a_running_one_and_a_process_that_ended(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        holder = replace(describe_run("apply"), pid=2**22 + 1)
        monkeypatch.setattr(lock_holder, "RUNNING", {holder.id})
        assert holder.is_dead


def test_every_run_has_an_id_of_its_own() -> None:
    first, second = describe_run("apply"), describe_run("apply")
    assert first.id != second.id
    assert [len(first.id), int(first.id, 16) >= 0] == [8, True]
    assert (first.pid, first.host, first.machine) == (os.getpid(), platform.node(), machine_id())
    assert not RUNNING & {first.id, second.id}


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ("", "`sfcode apply` of me@example.com (jane@ci-7, process 77) since 2026-03-18 12:00:00 UTC"),
        ("3f9a", "`sfcode apply` of me@example.com (jane@ci-7, process 77, plan 3f9a) since 2026-03-18 12:00:00 UTC"),
    ],
)
def test_a_lock_names_its_holder(plan: str, text: str) -> None:
    time = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
    assert str(LockInfo("081", replace(HOLDER, plan=plan), "me@example.com", time, time)) == text
    unknown = LockInfo("081", None, "me@example.com", time, time)
    assert str(unknown) == "me@example.com since 2026-03-18 12:00:00 UTC"


@pytest.mark.skipif(not Path("/proc/self/ns/pid").is_symlink(), reason="needs the files of Linux")
def test_a_machine_is_identified_by_its_name_its_boot_and_its_container() -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    marks = f"{platform.node()}\n{boot}\n{Path('/proc/self/ns/pid').readlink()}"
    assert machine_id() == hashlib.sha256(marks.encode()).hexdigest()[:8]
