"""A renamed project is found by its former name, and its former components are deleted or renamed."""

from __future__ import annotations

from sfcode.apply.lock import find_lock, hold_lock
from sfcode.apply.lock_holder import describe_run
from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.org import component, opened

OLD = ("Flow:Appcues_contact", "WorkflowOutboundMessage:Contact.Appcues_contact", "StaticResource:Appcues_sfcode_state")
NEW = tuple(address.replace("Appcues_", "Acme_") for address in OLD)


def present(journey, addresses):
    with serve(journey.folder / ".sfcode" / "local-org") as org:
        return [address for address in addresses if component(org, Address.parse(address)) is not None]


def rename(journey, moved):
    journey.edit("sfcode.yaml", "name: Appcues\n", "name: Acme\nmoved: {name: Appcues}\n" if moved else "name: Acme\n")


def test_a_new_name_without_moved_is_refused_with_a_hint(applied):
    rename(applied, moved=False)
    refused = applied.apply()
    assert refused.code == 1
    assert "the org has the state of a project Appcues" in refused.err
    assert "write `moved: {name: Appcues}` in sfcode.yaml" in refused.err
    assert present(applied, NEW) == []


def test_a_move_is_one_apply_that_leaves_nothing_of_the_old_name(applied):
    rename(applied, moved=True)
    planned = applied.run("plan")
    assert "Note: the state is moved: StaticResource:Acme_sfcode_state replaces" in planned.out
    result = applied.apply()
    assert result.code == 0, result.err
    assert present(applied, OLD) == []
    assert present(applied, NEW) == [*NEW]
    assert applied.run("plan", "--detailed-exitcode").code == 0, "nothing is left to do, `moved` or not"
    applied.edit("sfcode.yaml", "moved: {name: Appcues}\n", "")
    assert applied.run("plan", "--detailed-exitcode").code == 0
    down = applied.run("destroy", "--auto-approve")
    assert down.code == 0, down.err
    assert present(applied, NEW) == []


def test_a_project_that_was_not_moved_yet_can_be_destroyed(applied):
    rename(applied, moved=True)
    down = applied.run("destroy", "--auto-approve")
    assert down.code == 0, down.err
    assert present(applied, OLD) == []


def identify(journey, identity, name="Appcues"):
    journey.edit("sfcode.yaml", "name: Appcues\n", f"name: {name}\nid: {identity}\n")


def test_state_and_lock_belong_to_the_identity_whatever_the_name(journey):
    identify(journey, "team_a")
    assert journey.apply().code == 0
    assert present(journey, ("StaticResource:team_a_sfcode_state",)) == ["StaticResource:team_a_sfcode_state"]
    assert journey.actions() == {}
    journey.edit("sfcode.yaml", "name: Appcues\n", "name: Acme\n")
    refused = journey.apply()
    assert refused.code == 1
    assert "the project team_a is called Appcues in this org, and Acme in sfcode.yaml" in refused.err
    assert "to rename it, write `moved: {name: Appcues}` there" in refused.err
    journey.edit("sfcode.yaml", "name: Acme\n", "name: Acme\nmoved: {name: Appcues}\n")
    result = journey.apply()
    assert result.code == 0, result.err
    assert present(journey, OLD[:2]) == []
    assert journey.actions() == {}
    back = journey.run("rollback", "--auto-approve")
    assert back.code == 0, back.err
    assert "Flow:Acme_contact" in journey.actions(), "the former name is back, and the config wants the new one"
    journey.edit("sfcode.yaml", "name: Acme\nmoved: {name: Appcues}\n", "name: Appcues\n")
    assert journey.actions() == {}


def test_a_copy_that_has_not_seen_the_rename_is_refused(journey):
    identify(journey, "team_a", name="Acme")
    assert journey.apply().code == 0
    journey.edit("sfcode.yaml", "name: Acme\n", "name: Appcues\n")
    refused = journey.apply()
    assert refused.code == 1
    assert "if it was renamed already, update your copy of the config" in refused.err


def test_a_project_without_an_identity_can_get_one(applied):
    identify(applied, "team_a")
    refused = applied.apply()
    assert refused.code == 1
    assert "the org has the state of a project Appcues" in refused.err
    applied.edit("sfcode.yaml", "id: team_a\n", "id: team_a\nmoved: {name: Appcues}\n")
    assert applied.actions() == {}
    assert applied.apply().code == 0
    assert present(applied, OLD[2:]) == []
    applied.edit("sfcode.yaml", "moved: {name: Appcues}\n", "")
    assert applied.run("plan", "--detailed-exitcode").code == 0


def test_another_project_of_the_same_name_is_refused(journey):
    identify(journey, "team_a")
    assert journey.apply().code == 0
    journey.edit("sfcode.yaml", "id: team_a\n", "id: team_b\n")
    refused = journey.apply()
    assert refused.code == 1
    assert "if it is the state of this project, write `id: team_a` in sfcode.yaml" in refused.err


def test_while_a_project_is_renamed_the_lock_of_its_former_name_is_held_too(applied):
    managed_address = applied.run("state", "list").out.splitlines()[0]
    rename(applied, moved=True)
    with serve(applied.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        applied.environ = {**applied.environ, "SF_ACCESS_TOKEN": org.access_token}
        target = ("--org", org.url)
        with hold_lock(client, "Appcues", describe_run("apply"), patience=0.0, report=print):
            for words in (("apply", "--auto-approve"), ("state", "forget", managed_address)):
                refused = applied.run(*target, *words)
                assert refused.code == 1
                assert "The org is locked by `sfcode apply`" in refused.err
            lock_id = find_lock(client, "Appcues").id
            assert applied.run(*target, "force-unlock", lock_id, "--force").code == 0
            assert find_lock(client, "Appcues") is None


def test_the_state_of_a_project_does_not_count_as_another_use_of_its_former_user(journey):
    identify(journey, "team_a")
    assert journey.apply().code == 0
    journey.edit("sfcode.yaml", "username: appcues.integration@", "username: appcues.sync@")
    result = journey.apply()
    assert result.code == 0, result.err
