"""The workflows of a pull request from opening to revert, on a local GitHub and a local org."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfcode.github.comment_marker import read_marker
from sfcode.local import LocalOrg, serve
from sfcode.metadata.component import Address
from tests.e2e.forge import APPROVAL, Forge
from tests.e2e.journey import SECRET
from tests.e2e.org import component, deploy_field_label
from tests.e2e.workflows import Event, Job
from tests.github.server import serve_github

CONTACT = "config/mappings/contact.yaml"
MESSAGE = Address("WorkflowOutboundMessage", "Contact.Appcues_contact")
SCORE = "Contact.Appcues_NPS_Score__c"


@pytest.fixture
def org(tmp_path: Path) -> Iterator[LocalOrg]:
    """Serve an org without Appcues components."""
    with serve(tmp_path / "org") as local_org:
        yield local_org


@pytest.fixture
def forge(tmp_path: Path, org: LocalOrg) -> Iterator[Forge]:
    """Push a new project to a GitHub."""
    with serve_github() as (url, hub):
        yield Forge.start(tmp_path, url, hub, org)


def results(jobs: dict[str, Job]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def outputs(jobs: dict[str, Job]) -> str:
    return "\n".join(f"== {name}: {job.result}\n{job.log}" for name, job in jobs.items())


def comment(forge: Forge, number: int) -> dict:
    """Return the only comment of a pull request."""
    (own_comment,) = forge.hub.comments_of(number)
    return own_comment


def fields_sent(org: LocalOrg) -> set[str]:
    stored_component = component(org, MESSAGE)
    assert stored_component is not None
    return set(stored_component.body["fields"])


def jobs_with_variable(name: str, jobs: dict[str, Job]) -> set[str]:
    """Return the jobs in which a step has a variable."""
    return {job for job, job_run in jobs.items() if any(environ.get(name) for environ in job_run.environ)}


def deployed(forge: Forge) -> None:
    """Apply the first commit, with the approval that a push without a pull request needs."""
    forge.protect()
    jobs = forge.apply()
    assert results(jobs) == {"plan": "success", "approve": "success", "apply": "success"}, outputs(jobs)
    forge.asked.clear()


def test_a_change_travels_from_a_pull_request_to_the_org_and_back(forge: Forge, org: LocalOrg) -> None:
    deployed(forge)
    number = opened_and_amended(forge, org)
    merged(forge, org, number)
    issue = drifted(forge, org)
    reverted(forge, org)
    assert forge.hub.issues[issue]["state"] == "closed"
    assert len(forge.hub.issues) == 1
    texts = [entry["body"] for entry in (*forge.hub.comments.values(), *forge.hub.issues.values())]
    assert not [text for text in texts if SECRET in text]
    paths = [path for path in forge.runner.folder.rglob("*") if path.is_file()]
    assert paths
    assert not [path for path in paths if SECRET.encode() in path.read_bytes()]


def opened_and_amended(forge: Forge, org: LocalOrg) -> int:
    """Open a pull request, which gets one comment with review and plan; amend it, and check that the comment is updated."""
    forge.branch("source")
    forge.edit(CONTACT, "    role: Title\n", "    role: Title\n    source: LeadSource\n")
    number = forge.propose("Send the lead source")
    jobs = forge.plan(number)
    assert results(jobs) == {"review": "success", "plan": "success", "comment": "success"}, outputs(jobs)
    # The job that can sign in to the org cannot write to GitHub, and the job that writes to GitHub cannot sign in.
    assert jobs_with_variable("PROD_SF_JWT_KEY", jobs) == {"plan"}
    assert jobs_with_variable("GITHUB_TOKEN", jobs) == {"comment"}
    first = dict(comment(forge, number))
    assert "Compares this pull request (" in first["body"]
    assert "Contact.LeadSource will be sent to Appcues as `source`" in first["body"]
    assert "Plan: 0 to add, 3 to change, 0 to destroy." in first["body"]
    assert "LeadSource" not in fields_sent(org)
    forge.edit(CONTACT, "    source: LeadSource\n", "    phone: Phone\n")
    forge.amend(number, "Send the phone instead")
    assert set(results(forge.plan(number)).values()) == {"success"}
    second = comment(forge, number)
    assert second["id"] == first["id"]
    assert "LeadSource" not in second["body"]
    assert "Contact.Phone will be sent" in second["body"]
    assert read_marker(second["body"]).plan not in ("", read_marker(first["body"]).plan)
    return number


def merged(forge: Forge, org: LocalOrg, number: int) -> None:
    """Approve and merge: the reviewed plan is applied without another approval, and the next plan is empty."""
    forge.hub.add_review(number, "colleague")
    jobs = forge.merge(number)
    assert results(jobs) == {"plan": "success", "approve": "skipped", "apply": "success"}, outputs(jobs)
    assert f"colleague approved it in pull request #{number}" in jobs["plan"].summary
    assert "Apply complete! Resources: 0 added, 3 changed, 0 destroyed." in jobs["apply"].summary
    assert forge.asked == []
    assert "Phone" in fields_sent(org)
    jobs = forge.apply()
    assert results(jobs) == {"plan": "success", "approve": "skipped", "apply": "skipped"}
    assert jobs["plan"].outputs["changes"] == "false"


def drifted(forge: Forge, org: LocalOrg) -> int:
    """Check for drift before and after a manual change of the org: first there is no issue, then one that is updated."""
    jobs = forge.drift()
    assert results(jobs) == {"look": "success", "issue": "success"}, outputs(jobs)
    assert (jobs_with_variable("PROD_SF_JWT_KEY", jobs), jobs_with_variable("GITHUB_TOKEN", jobs)) == (
        {"look"},
        {"issue"},
    )
    assert forge.hub.issues == {}
    deploy_field_label(org, SCORE, "Somebody was here")
    forge.drift()
    deploy_field_label(org, SCORE, "Somebody was here again")
    jobs = forge.drift()
    (issue,) = forge.hub.issues.values()
    assert (issue["title"], issue["state"]) == ("Drift in production", "open")
    assert "Somebody was here again" in issue["body"]
    assert f"issue #{issue['number']}" in jobs["issue"].summary
    return int(issue["number"])


def reverted(forge: Forge, org: LocalOrg) -> None:
    """Revert the change: the plan also contains the drift, so that the reviewer sees both; afterwards there is no drift."""
    forge.branch("revert")
    forge.edit(CONTACT, "    phone: Phone\n", "")
    number = forge.propose("Send no phone")
    forge.plan(number)
    assert "Somebody was here again" in comment(forge, number)["body"]
    forge.hub.add_review(number, "colleague")
    jobs = forge.merge(number)
    assert results(jobs) == {"plan": "success", "approve": "skipped", "apply": "success"}, outputs(jobs)
    assert "Phone" not in fields_sent(org)
    forge.drift()


def test_a_plan_that_was_not_reviewed_waits_for_an_approval(forge: Forge, org: LocalOrg) -> None:
    # Without required reviewers nothing is applied, and the hint is printed.
    jobs = forge.apply()
    assert results(jobs) == {"plan": "failure", "approve": "skipped", "apply": "skipped"}
    assert "the environment sfcode-approval has no required reviewers" in jobs["plan"].summary
    assert component(org, MESSAGE) is None

    # The reviewers refuse the first run and approve the second.
    forge.protect()
    forge.is_approved = False
    assert results(forge.apply()) == {"plan": "success", "approve": "failure", "apply": "skipped"}
    assert component(org, MESSAGE) is None
    forge.is_approved = True
    assert results(forge.apply()) == {"plan": "success", "approve": "success", "apply": "success"}
    assert forge.asked == [APPROVAL, APPROVAL]

    # The pull request was approved before it showed the present plan, so another approval is needed.
    forge.branch("phone")
    forge.edit(CONTACT, "    role: Title\n", "    role: Title\n    phone: Phone\n")
    number = forge.propose("Send the phone")
    forge.plan(number)
    forge.hub.add_review(number, "colleague")
    deploy_field_label(org, SCORE, "Changed after the review")
    forge.asked.clear()
    jobs = forge.merge(number)
    assert results(jobs) == {"plan": "success", "approve": "success", "apply": "success"}, outputs(jobs)
    assert f"the plan is not the one that pull request #{number} showed" in jobs["plan"].summary
    assert forge.asked == [APPROVAL]


def test_an_org_that_changes_after_the_approval_is_not_changed(forge: Forge, org: LocalOrg) -> None:
    deployed(forge)
    forge.branch("phone")
    forge.edit(CONTACT, "    role: Title\n", "    role: Title\n    phone: Phone\n")
    number = forge.propose("Send the phone")

    def slow(_environment: str) -> bool:
        deploy_field_label(org, SCORE, "Changed while somebody thought about it")
        return True

    forge.runner.approve = slow
    jobs = forge.merge(number)
    assert results(jobs) == {"plan": "success", "approve": "success", "apply": "failure"}, outputs(jobs)
    assert "::error::The org has changed since this plan was approved." in jobs["apply"].log
    assert "Phone" not in fields_sent(org)


def test_a_pull_request_from_a_fork_is_reviewed_without_secrets_and_comment(forge: Forge) -> None:
    forge.branch("stranger")
    forge.edit(CONTACT, "    role: Title\n", "    role: Title\n    phone: Phone\n")
    number = forge.propose("Send the phone", login="stranger", repository="stranger/crm")
    jobs = forge.plan(number)
    assert results(jobs) == {"review": "success", "plan": "skipped", "comment": "skipped"}, outputs(jobs)
    assert "Contact.Phone will be sent to Appcues as `phone`" in jobs["review"].summary
    assert forge.hub.comments_of(number) == []


def test_a_repository_without_a_sign_in_is_reviewed_offline(forge: Forge) -> None:
    forge.runner.variables = {}
    forge.branch("phone")
    forge.edit(CONTACT, "    role: Title\n", "    role: Title\n    phone: Phone\n")
    number = forge.propose("Send the phone")
    assert results(forge.plan(number)) == {"review": "success", "plan": "skipped", "comment": "success"}
    assert "will be sent to Appcues as `phone`" in comment(forge, number)["body"]
    assert set(results(forge.merge(number)).values()) == {"skipped"}
    assert set(results(forge.drift()).values()) == {"skipped"}


def test_a_change_of_layout_shows_no_changes_and_an_invalid_config_its_position(forge: Forge) -> None:
    forge.runner.variables = {}
    forge.branch("form")
    forge.edit(CONTACT, "    role: Title\n    email: Email\n", "    email:   Email # first\n    role: Title\n")
    number = forge.propose("Put in order")
    jobs = forge.plan(number)
    assert results(jobs) == {"review": "success", "plan": "skipped", "comment": "success"}, outputs(jobs)
    assert "### No changes" in comment(forge, number)["body"]
    assert "### No changes" in jobs["review"].summary

    forge.edit(CONTACT, "match: user", "match: usr")
    forge.amend(number, "Break it")
    jobs = forge.plan(number)
    assert results(jobs) == {"review": "failure", "plan": "skipped", "comment": "failure"}, outputs(jobs)
    assert f"::error file={CONTACT},line=" in jobs["review"].log
    assert "usr" in comment(forge, number)["body"]


def test_the_job_that_comments_runs_nothing_of_the_branch(forge: Forge) -> None:
    """Changes of the branch to the action run only in jobs without write permission."""
    forge.runner.variables = {}
    forge.branch("sly")
    action = ".github/actions/sfcode/action.yml"
    forge.edit(action, "  steps:\n", "  steps:\n    - shell: bash\n      run: echo the branch was here\n")
    (forge.clone / "pip.py").write_text("print('the branch was here')\n")
    (forge.clone / "sfcode.py").write_text("print('the branch was here')\n")
    forge.edit(CONTACT, "    role: Title\n", "    role: Title\n    phone: Phone\n")
    number = forge.propose("Send the phone")
    jobs = forge.plan(number)
    assert results(jobs) == {"review": "success", "plan": "skipped", "comment": "success"}, outputs(jobs)
    assert "the branch was here" in jobs["review"].log
    assert "the branch was here" not in jobs["comment"].log
    assert "will be sent to Appcues as `phone`" in comment(forge, number)["body"]


def test_a_workflow_started_on_another_branch_is_refused(forge: Forge) -> None:
    for name in ("apply", "drift"):
        jobs = forge.runner.run(name, Event("workflow_dispatch", forge.main, "refs/heads/other"))
        first, *other_jobs = jobs.values()
        assert (first.result, {job.result for job in other_jobs}) == ("failure", {"skipped"})
        assert "::error::This workflow runs on the branch main only." in first.log
