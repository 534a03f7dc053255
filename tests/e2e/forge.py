"""A repository on the local GitHub: branches, pull requests, merges, and the workflows that they start."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sfcode import __version__
from sfcode.local import LocalOrg
from sfcode.scaffold import write_project
from tests.e2e.journey import SECRET
from tests.e2e.workflows import Event, Job, Runner, git
from tests.github.server import State
from tests.waiting import PATIENCE

PLAN = "sfcode-plan"
APPLY = "sfcode-apply"
APPROVAL = "sfcode-approval"
MAIN = "refs/heads/main"


@dataclass
class Forge:
    """The remote repository, the clone of a colleague, and the runner of workflows."""

    clone: Path
    runner: Runner
    hub: State
    asked: list[str] = field(default_factory=list)
    """Environments whose reviewers were asked for approval."""
    is_approved: bool = True
    """Whether the required reviewers approve a job."""

    @classmethod
    def start(cls, folder: Path, hub_url: str, hub: State, org: LocalOrg) -> Forge:
        """Make a project with `sfcode init` and push it."""
        remote, clone = folder / "remote.git", folder / "clone"
        for repository in (remote, clone):
            repository.mkdir()
        git(remote, "init", "--quiet", "--bare", "--initial-branch=main")
        git(remote, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(clone, "init", "--quiet", "--initial-branch=main")
        git(clone, "remote", "add", "origin", str(remote))
        write_project(clone)
        # The runner cannot download packages, and already has this version.
        (clone / ".github/actions/sfcode/requirements.txt").write_text(f"sfcode=={__version__}\n")
        forge = cls(clone, Runner(folder / "runs", remote, hub_url, hub), hub)
        forge.runner.approve = forge._answer
        forge.commit("Start the integration")
        git(clone, "push", "--quiet", "origin", "main")
        forge.runner.variables = {"SFCODE_ENV": "production", "PROD_SF_ORG_INSTANCE_URL": org.url}
        forge.runner.secrets = {PLAN: sign_in(org), APPLY: sign_in(org), APPROVAL: {}}
        return forge

    def _answer(self, environment: str) -> bool:
        self.asked.append(environment)
        return self.is_approved

    def protect(self) -> None:
        """Set required reviewers, as described in the guide."""
        rules = [{"type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": {"login": "boss"}}]}]
        self.hub.environments[APPROVAL] = {"name": APPROVAL, "protection_rules": rules}

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.clone / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self, message: str) -> str:
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "-m", message)
        return git(self.clone, "rev-parse", "HEAD").strip()

    def branch(self, name: str) -> None:
        git(self.clone, "switch", "--quiet", "-c", name, "main")

    def propose(self, title: str, login: str = "author", repository: str = "") -> int:
        """Commit edits, push the branch and open a pull request."""
        number = max([0, *self.hub.issues, *self.hub.pulls]) + 1
        head = {"ref": git(self.clone, "branch", "--show-current").strip()}
        head["repo"] = {"full_name": repository or self.hub.repository}
        self.hub.pulls[number] = {
            "number": number,
            "title": title,
            "body": "",
            "state": "open",
            "user": {"login": login},
            "head": head,
            "base": {"ref": "main", "sha": self.main},
            "merged_at": None,
        }
        self.amend(number, title)
        return number

    def amend(self, number: int, message: str) -> None:
        """Push one more commit to a pull request."""
        head = self.hub.pulls[number]["head"]
        git(self.clone, "switch", "--quiet", head["ref"])
        head["sha"] = self.commit(message)
        git(self.clone, "push", "--quiet", "origin", head["ref"])

    def plan(self, number: int) -> dict[str, Job]:
        """Run the workflow of a pull request on its merge commit."""
        pull = self.hub.pulls[number]
        pull["base"]["sha"] = self.main
        git(self.clone, "switch", "--quiet", "--detach", "main")
        git(self.clone, "merge", "--quiet", "--no-ff", "-m", "merge", pull["head"]["sha"])
        ref = f"refs/pull/{number}/merge"
        sha = git(self.clone, "rev-parse", "HEAD").strip()
        git(self.clone, "push", "--quiet", "--force", "origin", f"HEAD:{ref}")
        trusted = pull["head"]["repo"]["full_name"] == self.hub.repository
        return self.runner.run("plan", Event("pull_request", sha, ref, {"pull_request": pull}, trusted=trusted))

    def merge(self, number: int) -> dict[str, Job]:
        """Merge a pull request, and run the workflows of a push to main."""
        pull = self.hub.pulls[number]
        git(self.clone, "switch", "--quiet", "main")
        git(self.clone, "merge", "--quiet", "--no-ff", "-m", f"Merge #{number}", pull["head"]["sha"])
        git(self.clone, "push", "--quiet", "origin", "main")
        pull.update(state="closed", merged_at=self.hub.now(), merge_commit_sha=self.main)
        return self.apply()

    @property
    def main(self) -> str:
        return git(self.clone, "rev-parse", "main").strip()

    def apply(self) -> dict[str, Job]:
        return self.runner.run("apply", Event("push", self.main, MAIN))

    def drift(self) -> dict[str, Job]:
        return self.runner.run("drift", Event("schedule", self.main, MAIN))


def sign_in(org: LocalOrg) -> dict[str, str]:
    """Register an app in the org, and return the secrets with which a job signs in by the app's key."""
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    app = {
        "name": "ci",
        "consumer_key": f"3MVG9.{uuid4().hex}",
        "certificate": public.decode(),
        "users": [org.username],
    }
    request = urllib.request.Request(
        f"{org.url}/services/sfcode/apps",
        json.dumps(app).encode(),
        {"Authorization": f"Bearer {org.access_token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 201
    return {
        "PROD_SF_CONSUMER_KEY": app["consumer_key"],
        "PROD_SF_JWT_KEY": private.decode(),
        "PROD_SF_USERNAME": org.username,
        "SFCODE_RELAY_OUTBOUND_SECRET": SECRET,
    }
