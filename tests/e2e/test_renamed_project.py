"""A project that gets another name is found by its former one: what it had goes, and nothing is sent twice."""

from __future__ import annotations

from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.org import component

OLD = ("Flow:Appcues_contact", "WorkflowOutboundMessage:Contact.Appcues_contact", "StaticResource:Appcues_sfcode_state")
NEW = tuple(address.replace("Appcues_", "Acme_") for address in OLD)


def present(journey, addresses):
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        return [address for address in addresses if component(org, Address.parse(address)) is not None]


def rename(journey, moved):
    journey.edit("sfcode.yaml", "name: Appcues\n", "name: Acme\nmoved: {name: Appcues}\n" if moved else "name: Acme\n")


def test_a_new_name_alone_is_refused_and_told_how_to_move(applied):
    rename(applied, moved=False)
    refused = applied.apply()
    assert refused.code == 1
    assert "the org has the state of a project Appcues" in refused.err
    assert "write `moved: {name: Appcues}` in sfcode.yaml" in refused.err
    assert present(applied, NEW) == []


def test_a_move_is_one_apply_that_leaves_nothing_of_the_old_name(applied):
    rename(applied, moved=True)
    planned = applied.run("plan")
    assert "Note: the project was renamed: StaticResource:Acme_sfcode_state takes the place of" in planned.out
    done = applied.apply()
    assert done.code == 0, done.err
    assert present(applied, OLD) == []
    assert present(applied, NEW) == [*NEW]
    assert applied.run("plan", "--detailed-exitcode").code == 0, "nothing is left to do, `moved` or not"
    applied.edit("sfcode.yaml", "moved: {name: Appcues}\n", "")
    assert applied.run("plan", "--detailed-exitcode").code == 0
    down = applied.run("destroy", "--auto-approve")
    assert down.code == 0, down.err
    assert present(applied, NEW) == []


def test_what_was_not_moved_yet_can_be_taken_down(applied):
    rename(applied, moved=True)
    down = applied.run("destroy", "--auto-approve")
    assert down.code == 0, down.err
    assert present(applied, OLD) == []
