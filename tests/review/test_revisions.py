"""Reviews read real repositories of any structure without changing them."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

from sfcode.errors import ConfigError, UsageError
from sfcode.generate import generate
from sfcode.git import GitFailed, open_repository
from sfcode.review import revisions
from tests.review.projects import (
    CONTACT,
    FILES,
    LEAD,
    SETTINGS,
    SHORT,
    Edit,
    Files,
    Repository,
    edited,
    list_texts,
    write,
)

CONFIG = Path("config")
compare = functools.partial(revisions.compare_revisions, generate)
DEPARTMENT: Edit = ("contact", "    role: Title\n", "    role: Title\n    dept: Department\n")
NO_PLAN: Edit = ("contact", "    plan: Plan__c\n", "")
SENT = "medium: Contact.Department will be sent to Appcues as `dept`"
NOT_SENT = "low: Contact.Plan__c will no longer be sent to Appcues, where `plan` will stay as last sent"
MORE: Files = edited(FILES, DEPARTMENT)


def test_the_work_tree_is_the_head_when_none_is_named(repository: Repository) -> None:
    """Uncommitted and untracked files are included, staged or not, and the repository is unchanged."""
    assert compare(CONFIG, "HEAD").is_empty
    write(repository.root, MORE)
    before = (repository.git("status", "--porcelain"), (repository.root / ".git" / "index").read_bytes())
    report = compare(CONFIG, "HEAD")
    assert SENT in list_texts(report)
    assert str(report.head) == "the work tree"
    assert (repository.git("status", "--porcelain"), (repository.root / ".git" / "index").read_bytes()) == before


def test_a_commit_can_be_the_head_whatever_lies_in_the_work_tree(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "change")
    commit = repository.commit(MORE)
    repository.git("switch", "-q", "main")
    write(repository.root, {"config/sfcode.yaml": "nonsense"})
    report = compare(CONFIG, "main", "change")
    assert SENT in list_texts(report)
    assert (report.head.name, report.head.commit) == ("change", commit)


def test_positions_of_a_commit_are_the_users_paths(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "change")
    repository.commit(MORE)
    place = next(
        statement.position for statement in compare(CONFIG, "main", "change").statements if "dept" in statement.text
    )
    assert str(place) == "config/mappings/contact.yaml:6:5"


def test_later_commits_of_the_base_are_not_part_of_the_change(repository: Repository) -> None:
    """The base is the commit at which head branched off; with `direct` it is the present base."""
    fork = repository.git("rev-parse", "HEAD")
    repository.git("switch", "-q", "-c", "change")
    repository.commit(MORE)
    repository.git("switch", "-q", "main")
    repository.commit(edited(FILES, NO_PLAN))
    repository.git("switch", "-q", "change")
    report = compare(CONFIG, "main")
    assert (report.base.commit, report.base.how) == (fork, "where HEAD left main")
    assert [line for line in list_texts(report) if "Appcues" in line][:1] == [SENT]
    assert not any("Plan__c" in line for line in list_texts(report))
    direct = compare(CONFIG, "main", direct=True)
    assert any(line.startswith("medium: Contact.Plan__c will be sent") for line in list_texts(direct))


def test_the_merge_commit_of_a_pull_request_shows_what_merging_changes(repository: Repository) -> None:
    """GitHub checks out a merge commit of the pull request and its base."""
    repository.git("switch", "-q", "-c", "change")
    repository.commit(MORE)
    repository.git("switch", "-q", "main")
    tip = repository.commit(edited(FILES, ("settings", '"1"', '"2"')))
    repository.git("switch", "-q", "--detach")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "change")
    report = compare(CONFIG, "main")
    assert report.base.commit == tip
    assert list_texts(report)[0] == SENT
    assert not any("account" in line for line in list_texts(report))


def test_branches_with_two_merge_bases_are_compared_with_one_of_them(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "change")
    repository.commit({"a": "1"})
    repository.git("switch", "-q", "main")
    repository.commit({"b": "1"})
    repository.git("branch", "meeting", "main")
    repository.git("merge", "-q", "-m", "one", "change")
    repository.git("switch", "-q", "change")
    repository.git("merge", "-q", "-m", "two", "meeting")
    repository.commit(MORE)
    report = compare(CONFIG, "main", "change")
    assert SENT in list_texts(report)
    assert any("met more than once" in note for note in report.notes)


def test_histories_without_a_common_commit_are_compared_as_they_are(repository: Repository) -> None:
    repository.git("switch", "-q", "--orphan", "other")
    repository.commit(MORE)
    report = compare(CONFIG, "main", "other")
    assert SENT in list_texts(report)
    assert report.notes == ("main and other have no commit in common; compared with main itself.",)


@pytest.mark.parametrize("committed", [True, False], ids=["commit", "work tree"])
def test_a_moved_config_folder_is_compared_with_its_former_place(repository: Repository, *, committed: bool) -> None:
    """A project is recognized by its `id`, else by its name, and not by its path."""
    base = repository.git("rev-parse", "HEAD")
    (repository.root / "crm").mkdir()
    repository.git("mv", "config", "crm/appcues")
    text = MORE[SHORT["contact"]]
    (repository.root / "crm/appcues/mappings/contact.yaml").write_text(text, encoding="utf-8")
    if committed:
        repository.commit({})
    report = compare(Path("crm/appcues"), "main~1" if committed else "main", "main" if committed else None)
    assert list_texts(report) == [SENT, "low: The integration user may read Contact.Department"]
    assert f"crm/appcues is config in {'main~1 ' if committed else 'main '}({base[:10]}); the two" in report.notes[0]


def test_a_copied_config_folder_and_one_of_another_project_are_new(repository: Repository) -> None:
    copied = {name.replace("config/", "copy/"): text for name, text in FILES.items()}
    repository.commit(copied)
    assert compare(Path("copy"), "main~1").notes == (
        f"copy does not exist in {compare(CONFIG, 'main~1').base}: everything is new.",
    )
    other = {name.replace("config/", "other/"): text for name, text in FILES.items()}
    repository.commit(edited(other, ("other/sfcode.yaml", "name: Appcues\n", "name: Acme\n")), *FILES)
    assert "everything is new" in compare(Path("other"), "main~1").notes[0]


def clone(repository: Repository, to: Path, *options: str) -> Repository:
    source = repository.root.as_uri()
    subprocess.run(["git", "clone", "-q", *options, source, str(to)], check=True, capture_output=True)
    new_clone = object.__new__(Repository)
    new_clone.root = to
    return new_clone


def test_a_bare_repository_is_read_by_its_paths(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("switch", "-q", "-c", "change")
    repository.commit(MORE)
    bare = clone(repository, tmp_path / "bare.git", "--bare")
    monkeypatch.chdir(bare.root)
    report = compare(CONFIG, "main", "change")
    assert SENT in list_texts(report)
    assert open_repository(CONFIG).bare


def test_a_shallow_clone_is_refused_with_the_command_to_fetch_the_rest(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = repository.git("rev-parse", "HEAD")
    repository.commit(MORE)
    monkeypatch.chdir(clone(repository, tmp_path / "shallow", "--depth=1").root)
    with pytest.raises(GitFailed, match=f"no commit {old}") as caught:
        compare(CONFIG, old)
    assert "`fetch-depth: 0`" in caught.value.hint
    assert compare(CONFIG, "HEAD").is_empty


def test_a_shallow_clone_without_the_merge_base_is_refused(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("switch", "-q", "-c", "change")
    repository.commit(MORE)
    repository.git("switch", "-q", "main")
    repository.commit({"README": "1"})
    monkeypatch.chdir(clone(repository, tmp_path / "shallow", "--depth=1", "--no-single-branch").root)
    with pytest.raises(GitFailed, match="Where origin/change left origin/main is not in this clone") as caught:
        compare(CONFIG, "origin/main", "origin/change")
    assert "fetch-depth: 0" in caught.value.hint


def test_a_branch_that_only_the_remote_has_is_suggested(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("branch", "release")
    monkeypatch.chdir(clone(repository, tmp_path / "clone").root)
    with pytest.raises(GitFailed) as caught:
        compare(CONFIG, "release")
    assert str(caught.value) == (
        "There is no commit release in this repository.\n"
        "This clone has it as origin/release: pass --base origin/release, or `git fetch origin release:release`."
    )


@pytest.mark.parametrize("name", ["nope", "HEAD:config", "", "--output=x", "main^{tree}"])
def test_an_invalid_commit_is_refused(repository: Repository, name: str) -> None:
    """A name that looks like an option is never passed to git."""
    with pytest.raises(GitFailed):
        compare(CONFIG, name)
    assert not (repository.root / "x").exists()


def test_a_folder_outside_of_git_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GitFailed, match="config is not in a git repository"):
        compare(CONFIG, "main")


def test_without_the_git_program_a_review_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitFailed, match="program git was not found"):
        compare(CONFIG, "main")


def test_a_project_in_a_sub_folder_is_found_from_there_and_from_the_top(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = {f"services/crm/{name}": text for name, text in FILES.items()}
    repository.commit(below)
    write(repository.root, {f"services/crm/{name}": text for name, text in MORE.items()})
    top = compare(Path("services/crm/config"), "HEAD")
    monkeypatch.chdir(repository.root / "services" / "crm")
    inside = compare(CONFIG, "HEAD")
    assert list_texts(top) == list_texts(inside)
    assert SENT in list_texts(top)
    places = [
        next(statement.position for statement in report.statements if "dept" in statement.text)
        for report in (top, inside)
    ]
    assert [place.file for place in places if place] == [
        "services/crm/config/mappings/contact.yaml",
        "config/mappings/contact.yaml",
    ]
    assert (top.folder, inside.folder) == ("", "services/crm")


def test_another_project_of_the_repository_is_left_out(repository: Repository) -> None:
    repository.commit({f"other/{name}": text for name, text in FILES.items()})
    write(repository.root, {f"other/{name}": text for name, text in MORE.items()})
    assert compare(CONFIG, "HEAD").is_empty
    assert not compare(Path("other/config"), "HEAD").is_empty


def test_a_link_is_looked_up_where_it_leads(repository: Repository, tmp_path: Path) -> None:
    (repository.root / "astray").symlink_to(write(tmp_path / "elsewhere", FILES))
    (repository.root / "alias").symlink_to("config")
    with pytest.raises(GitFailed, match="astray is not in a git repository"):
        compare(Path("astray"), "HEAD")
    assert compare(Path("alias"), "HEAD").is_empty


def test_the_top_of_a_repository_cannot_be_the_config_folder(repository: Repository) -> None:
    """Templates are beside the config folder, and the top folder has nothing beside it."""
    with pytest.raises(UsageError, match="is the top of the repository"):
        compare(Path(), "HEAD")


def test_a_renamed_mapping_is_a_rename(repository: Repository) -> None:
    repository.git("mv", "config/mappings/contact.yaml", "config/mappings/people.yaml")
    report = compare(CONFIG, "HEAD")
    assert [line for line in list_texts(report) if "renamed" in line] == [
        (
            "medium: The mapping `contact` is renamed to `people`: its outbound message and flow `Appcues_contact` will be "
            "deleted and created as `Appcues_people`, and Salesforce will send to another URL of the relay"
        )
    ]
    assert not any("no longer be synced" in line or "will be synced" in line for line in list_texts(report))


def test_everything_is_new_where_the_base_has_no_config(repository: Repository) -> None:
    repository.git("rm", "-rq", "config")
    empty = repository.commit({"README": "1"})
    repository.commit(FILES)
    report = compare(CONFIG, empty)
    assert report.notes == (f"config does not exist in {empty[:10]}: everything is new.",)
    assert "medium: The integration is new: 11 components will be created" in list_texts(report)
    assert report.base_problems == ()


def test_an_invalid_base_is_reported_with_its_problems(repository: Repository) -> None:
    commit = repository.commit(edited(FILES, ("contact", "object: Contact", "objekt: Contact")))
    repository.commit(FILES)
    report = compare(CONFIG, commit)
    assert [str(problem) for problem in report.base_problems] == [
        (
            "config/mappings/contact.yaml:1:1: objekt: unknown key; write object (or: match, direction, delivery, user_id, "
            "where, several, converted, replaces, to_appcues, to_salesforce)"
        )
    ]
    assert report.notes == (f"config does not load in {commit[:10]}: everything is shown as if it were new.",)
    assert any("is new" in line for line in list_texts(report))


def test_a_base_without_a_settings_file_does_not_load(repository: Repository) -> None:
    commit = repository.commit({}, "config/sfcode.yaml")
    write(repository.root, FILES)
    report = compare(CONFIG, commit)
    assert [problem.path for problem in report.base_problems] == ["config/sfcode.yaml"]


def test_an_invalid_head_is_reported_with_its_problems(repository: Repository) -> None:
    write(repository.root, edited(FILES, ("contact", "object: Contact", "object: [Contact]")))
    report = compare(CONFIG, "HEAD")
    assert [problem.position.line for problem in report.problems if problem.position] == [1]
    assert not report.is_empty


def test_a_head_without_config_is_an_error(repository: Repository) -> None:
    repository.git("rm", "-rq", "config")
    commit = repository.commit({"README": "1"})
    with pytest.raises(ConfigError, match="the folder does not exist in main"):
        compare(CONFIG, "main~1", "main")
    with pytest.raises(ConfigError, match="the folder does not exist"):
        compare(CONFIG, commit)


def test_the_projects_own_templates_are_read_from_each_side(repository: Repository) -> None:
    own = (Path(__file__).parents[2] / "templates/metadata/Flow.xml.j2").read_text(encoding="utf-8")
    repository.commit({"templates/metadata/Flow.xml.j2": own})
    write(repository.root, {"templates/metadata/Flow.xml.j2": own.replace("{{ flow.label }}", "Ours")})
    report = compare(CONFIG, "HEAD")
    assert [line for line in list_texts(report) if "template" in line] == [
        "medium: The project's own template `Flow.xml.j2` is new: see `Flow:Appcues_contact` and `Flow:Appcues_lead`"
    ]
    assert compare(CONFIG, "HEAD", "HEAD").is_empty


def test_changes_without_a_statement_of_their_own_are_listed(repository: Repository) -> None:
    """sfcode does not know the file that a template includes, but its effect is reported."""
    own = (Path(__file__).parents[2] / "templates/metadata/Flow.xml.j2").read_text(encoding="utf-8")
    name = "templates/metadata/Flow.xml.j2"
    repository.commit(
        {name: own.replace("{{ flow.label }}", "{% include 'label.txt' %}", 1), "templates/metadata/label.txt": "A"}
    )
    write(repository.root, {"templates/metadata/label.txt": "B"})
    assert list_texts(compare(CONFIG, "HEAD")) == [
        "medium: `Flow:Appcues_contact` changes: `interviewLabel`",
        "medium: `Flow:Appcues_lead` changes: `interviewLabel`",
    ]


def test_a_broken_template_is_named_as_the_user_knows_it(repository: Repository) -> None:
    repository.commit({"templates/metadata/Flow.xml.j2": "{{ oops"})
    report = compare(CONFIG, "HEAD~1", "HEAD")
    assert {problem.position.file for problem in report.problems if problem.position} == {
        "templates/metadata/Flow.xml.j2"
    }


def test_links_are_followed_within_a_commit_and_nowhere_else(repository: Repository, tmp_path: Path) -> None:
    """A pull request must not be able to read files of the machine."""
    secret = tmp_path / "secret.yaml"
    secret.write_text(LEAD)
    (repository.root / "shared.yaml").write_text(CONTACT)
    contact = repository.root / "config" / "mappings" / "contact.yaml"
    contact.unlink()
    contact.symlink_to("../../shared.yaml")
    lead = repository.root / "config" / "mappings" / "lead.yaml"
    lead.unlink()
    lead.symlink_to(secret)
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "links")
    report = compare(CONFIG, "HEAD~1", "HEAD")
    assert [line for line in list_texts(report) if "synced" in line] == [
        (
            "high: Leads will no longer be synced: 4 components will be deleted, field Lead.Appcues_NPS_Score__c with its "
            "values among them"
        )
    ]
    assert not any("Contact" in line for line in list_texts(report))


def test_the_environment_of_a_git_hook_is_ignored(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git sets variables for its hooks, but the review uses the passed folder."""
    other_repository = Repository(tmp_path / "other")
    other_repository.commit({"README": "1"})
    monkeypatch.setenv("GIT_DIR", str(other_repository.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other_repository.root / ".git" / "index"))
    assert compare(CONFIG, "HEAD", "HEAD").is_empty


def test_odd_names_are_read_and_unread_ones_left_out(repository: Repository) -> None:
    """Names may contain blanks and letters of any script, and files outside of the config are not read."""
    repository.commit({"config/Ü b.txt": "x", "config/mappings/.hidden.yaml": "{", "config/new\nline": "y"})
    assert compare(CONFIG, "HEAD~1", "HEAD").is_empty


def test_every_head_environment_is_compared_with_its_counterpart(repository: Repository) -> None:
    """A project that defines its first environment is compared with the project before, which had none."""
    plain = SETTINGS[: SETTINGS.index("environments")]
    base = repository.commit({"config/sfcode.yaml": plain})
    repository.commit({"config/sfcode.yaml": SETTINGS})
    report = compare(CONFIG, base)
    assert report.environments == ("prod",)
    assert not any("is new" in line for line in list_texts(report))


def test_only_the_chosen_environment_is_reviewed(repository: Repository) -> None:
    two = SETTINGS + "  test:\n    org: env:TEST\n"
    repository.commit({"config/sfcode.yaml": two})
    write(repository.root, {"config/sfcode.yaml": two.replace("env:TEST", "env:OTHER")})
    assert compare(CONFIG, "HEAD", environment="prod").is_empty
    assert list_texts(compare(CONFIG, "HEAD", environment="test")) == [
        "high: Environment `test` will be the org `env:OTHER` instead of the org `env:TEST`"
    ]
    assert [str(problem) for problem in compare(CONFIG, "HEAD", environment="nope").problems] == [
        "config/sfcode.yaml:10:1: environments: the environment nope is not defined; choose one of: prod, test"
    ]


def test_a_review_leaves_no_temporary_files(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    compare(CONFIG, "HEAD", "HEAD")
    assert list(scratch.iterdir()) == []
    shutil.rmtree(scratch)
