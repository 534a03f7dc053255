"""
A runner for GitHub workflows on this machine: it runs the jobs in order, each `run:` unchanged in bash.

All actions that `uses:` names are replaced: checkout is git, setup-python is this interpreter, and artifacts are a
folder. A composite action of the repository is run step by step. As on GitHub, a job gets secrets only through its
`environment`, and its token has only the rights in its `permissions`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.expressions import filled, holds
from tests.github.server import BOT, State, Token
from tests.programs import search_path

ROOT = Path(__file__).resolve().parents[2]
SHELLS = {None: ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}


@dataclass
class Job:
    """The result of a job, and its outputs."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    environ: list[Mapping[str, str]] = field(default_factory=list)
    """The variables of every step that ran."""


@dataclass
class Event:
    """The event of a workflow: its name, GitHub's payload, ref and commit."""

    name: str
    sha: str
    ref: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    trusted: bool = True
    """Whether the event is not from a fork, so that jobs get secrets, variables, and a token that may write."""


INSTALLED: set[str] = set()
"""Packages that were installed before. All runs share this machine, so an action does not install them again."""


@dataclass
class Runner:
    """A repository's settings, and the folder in which its jobs run."""

    folder: Path
    remote: Path
    api_url: str
    hub: State
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    """Secrets by deployment environment."""
    approve: Callable[[str], bool] = lambda _environment: False
    """Answers for the required reviewers of a deployment environment."""
    runs: int = 0

    def run(self, workflow: str, event: Event) -> dict[str, Job]:
        """Run a workflow with its text in the event's commit."""
        self.runs += 1
        run_folder = self.folder / f"run-{self.runs}"
        run_folder.mkdir(parents=True)
        definition = yaml.safe_load(self._show(event.sha, f".github/workflows/{workflow}.yml"))
        triggers = definition[True]  # YAML 1.1 reads the key `on` as true
        assert event.name in triggers, f"{workflow} does not run on {event.name}"
        jobs: dict[str, Job] = {}
        for name, job in definition["jobs"].items():
            jobs[name] = _JobRun(self, event, definition, job, jobs, run_folder / name).run()
        return jobs

    def _show(self, sha: str, path: str) -> str:
        return git(self.remote, "show", f"{sha}:{path}")


@dataclass
class _JobRun:
    runner: Runner
    event: Event
    workflow: Mapping[str, Any]
    job: Mapping[str, Any]
    done: Mapping[str, Job]
    folder: Path
    steps: dict[str, Any] = field(default_factory=dict)
    result: Job = field(default_factory=lambda: Job("success"))
    secrets: Mapping[str, str] = field(default_factory=dict)
    token: str = ""

    def run(self) -> Job:
        needs = self.job.get("needs", [])
        needs = [needs] if isinstance(needs, str) else needs
        self.needed = {name: {"result": self.done[name].result, "outputs": self.done[name].outputs} for name in needs}
        succeeded = all(self.done[name].result == "success" for name in needs)
        if not holds(self.job.get("if"), self.context(), succeeded=succeeded):
            return Job("skipped")
        environment = self.job.get("environment")
        if environment:
            rules = self.runner.hub.environments.get(environment, {}).get("protection_rules", [])
            if rules and not self.runner.approve(environment):
                return Job("failure", log=f"{environment}: nobody approved")
            if self.event.trusted:
                self.secrets = self.runner.secrets.get(environment, {})
        self.folder.mkdir()
        (self.folder / "workspace").mkdir()
        (self.folder / "event.json").write_text(json.dumps(self.event.payload))
        self.token = f"job-token-{len(self.runner.hub.tokens):04}-{self.runner.runs:04}"
        permissions = dict(self.job["permissions"])
        rights = permissions if self.event.trusted else dict.fromkeys(permissions, "read")
        self.runner.hub.tokens[self.token] = Token(BOT, rights)
        for number, step in enumerate(self.job["steps"]):
            self._step(step, f"step-{number}", {})
        del self.runner.hub.tokens[self.token]
        for name, value in self.job.get("outputs", {}).items():
            self.result.outputs[name] = filled(value, self.context())
        return self.result

    def context(self, inputs: Mapping[str, str] | None = None) -> dict[str, Any]:
        trusted = self.event.trusted
        return {
            "github": {
                "event": self.event.payload,
                "event_name": self.event.name,
                "repository": self.runner.hub.repository,
                "ref": self.event.ref,
                "sha": self.event.sha,
                "token": self.token,
            },
            "vars": self.runner.variables if trusted else {},
            "secrets": self.secrets,
            "needs": self.needed,
            "steps": self.steps,
            "inputs": inputs or {},
        }

    def _step(self, step: Mapping[str, Any], name: str, inputs: Mapping[str, str], action: Path | None = None) -> None:
        context = self.context(inputs)
        if not holds(step.get("if"), context, succeeded=self.result.result == "success"):
            return
        step_inputs = {key: filled(value, context) for key, value in step.get("with", {}).items()}
        if "uses" in step:
            self._use(step["uses"], step_inputs, name)
            return
        assert not {"continue-on-error", "working-directory"} & step.keys(), "the runner does not know this"
        environ = self._environ(step, context, name, action)
        self.result.environ.append(environ)
        script = self.folder / f"{name}.sh"
        assert "${{" not in step["run"], f"an expression inside a script: {step['run']}"
        script.write_text(step["run"])
        process = subprocess.run(
            [*SHELLS[step.get("shell")], str(script)],
            cwd=self.folder / "workspace",
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.result.log += process.stdout + process.stderr
        self.result.summary += Path(environ["GITHUB_STEP_SUMMARY"]).read_text()
        if "id" in step:
            self.steps[step["id"]] = {"outputs": read_outputs(Path(environ["GITHUB_OUTPUT"]))}
        if process.returncode:
            self.result.result = "failure"

    def _environ(
        self, step: Mapping[str, Any], context: Mapping[str, Any], name: str, action: Path | None
    ) -> dict[str, str]:
        files = {
            variable: self.folder / f"{name}.{variable.lower()}"
            for variable in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        for path in files.values():
            path.touch()
        environ = {
            "PATH": search_path(),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.runner.api_url,
            "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REF": self.event.ref,
            "GITHUB_REPOSITORY": self.runner.hub.repository,
            "GITHUB_SHA": self.event.sha,
            "GITHUB_WORKSPACE": str(self.folder / "workspace"),
            "RUNNER_TEMP": str(self.folder),
            # pip must not download packages: all required packages are installed.
            "PIP_NO_INDEX": "1",
            **{key: str(path) for key, path in files.items()},
        }
        names = ("HOME", "PYTHONPATH", "LANG", "GIT_CONFIG_NOSYSTEM")
        environ |= {key: os.environ[key] for key in names if key in os.environ}
        environ |= {key: value for key, value in os.environ.items() if key.startswith("TESTS_")}
        if action:
            environ["GITHUB_ACTION_PATH"] = str(action)
        for level in (self.workflow, self.job, step):
            environ |= {key: filled(value, context) for key, value in level.get("env", {}).items()}
        return environ

    def _use(self, action: str, inputs: Mapping[str, str], name: str) -> None:
        actions = {
            "actions/checkout": self._checkout,
            "actions/setup-python": lambda _inputs: None,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
        }
        if action.startswith("$/"):
            self._compose(self._unpack(action.removeprefix("$/"), name), inputs, name)
        elif action.startswith("./"):
            self._compose(self.folder / "workspace" / action.removeprefix("./"), inputs, name)
        else:
            actions[action.partition("@")[0]](inputs)

    def _unpack(self, place: str, name: str) -> Path:
        """Copy an action of the repository from the commit of the run."""
        folder = self.folder / f"{name}-action"
        folder.mkdir()
        archive = subprocess.run(
            ["git", "archive", self.event.sha, place], cwd=self.runner.remote, capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
        return folder / place

    def _compose(self, place: Path, arguments: Mapping[str, str], name: str) -> None:
        """Run the steps of an action."""
        definition = yaml.safe_load((place / "action.yml").read_text())
        inputs = {key: arguments.get(key, about.get("default", "")) for key, about in definition["inputs"].items()}
        assert not arguments.keys() - inputs.keys(), arguments
        for number, step in enumerate(definition["runs"]["steps"]):
            if "pip install" in step.get("run", ""):
                installation = step["run"] + (place / "requirements.txt").read_text()
                if installation in INSTALLED:
                    continue
                INSTALLED.add(installation)
            self._step(step, f"{name}-{number}", inputs, place)

    def _checkout(self, inputs: Mapping[str, str]) -> None:
        assert inputs["persist-credentials"] == "false"
        workspace = self.folder / "workspace" / inputs.get("path", "")
        workspace.mkdir(exist_ok=True)
        git(workspace, "init", "--quiet")
        depth = inputs.get("fetch-depth", "1")
        more = [] if depth == "0" else [f"--depth={depth}"]
        sha = inputs.get("ref") or self.event.sha
        git(workspace, "fetch", "--quiet", *more, f"file://{self.runner.remote}", sha)
        git(workspace, "checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _upload(self, inputs: Mapping[str, str]) -> None:
        if self.result.result == "success":
            target = self.folder.parent / "artifacts" / inputs["name"]
            target.mkdir(parents=True)
            shutil.copy(self.folder / "workspace" / inputs["path"], target)

    def _download(self, inputs: Mapping[str, str]) -> None:
        shutil.copytree(self.folder.parent / "artifacts" / inputs["name"], self.folder / "workspace" / inputs["path"])


def read_outputs(path: Path) -> dict[str, str]:
    """Read the outputs of a step from its file, including values with delimiters."""
    outputs: dict[str, str] = {}
    lines = path.read_text().splitlines()
    while lines:
        line = lines.pop(0)
        name, sign, end = line.partition("<<")
        if not sign:
            name, _, outputs[name] = line.partition("=")
            continue
        at = lines.index(end)
        outputs[name] = "\n".join(lines[:at])
        del lines[: at + 1]
    return outputs


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    process = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert process.returncode == 0, (words, process.stderr)
    return process.stdout
