"""One call of the command line: its global options, its project and org, and the result of the verb."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sfcode.cli.progress import ProgressLine
from sfcode.errors import UsageError
from sfcode.lazy_dataclasses import dataclass, field

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.local import LocalOrg
    from sfcode.local.running import RunningOrg
    from sfcode.org import Org
    from sfcode.plan.plan import Plan
    from sfcode.review.model import ReviewReport
    from sfcode.secret import Secret


@dataclass
class RunResult:
    """
    The result of a verb, for the outputs and the summary of a GitHub step.

    It is filled in while the verb runs, so that it is also available after a failure.
    """

    verb: str = ""
    plan: Plan | None = None
    saved: Path | None = None
    """The path of the saved plan."""
    review: ReviewReport | None = None
    annotated: bool = False
    """Whether the diagnostics were already printed as annotations."""
    done: str = ""
    """The result in one line."""
    next_steps: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    """Further outputs of the verb."""
    error: BaseException | None = None


@dataclass(frozen=True)
class Invocation:
    """The global options of one call, and the objects that verbs derive from them."""

    named_config: Path | None = None
    """The folder of --config, if it was passed."""
    env: str | None = None
    org: str | None = None
    json: bool = False
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False
    result: RunResult = field(default_factory=RunResult, compare=False)
    progress: ProgressLine = field(default_factory=ProgressLine, compare=False)

    @cached_property
    def config(self) -> Path:
        """The config folder: the passed one, else `config` here or in a folder above, which is reported."""
        from sfcode.cli.output import print_status
        from sfcode.config.files import SETTINGS, find_config

        folder = self.named_config or find_config(Path.cwd())
        if self.named_config is None and folder.parts[0] == os.pardir:
            print_status(self, f"Using {folder / SETTINGS}", aside=True)
        return folder

    def project(self) -> Project:
        """Load the project. Raises ConfigError with all its problems."""
        from sfcode.config import load

        return load(self.config, self.env)

    def local_state(self) -> Path:
        """Return the folder of the project's local org, which is beside its config."""
        from sfcode.config.load import project_root

        return local_state(project_root(self.config))

    def secrets(self, project: Project) -> dict[str, str]:
        """Read the project's secrets from the environment variables. Raises ConfigError with the missing ones."""
        from sfcode.config import resolve_secrets

        return resolve_secrets(project, os.environ)

    def plan_key(self) -> Secret | None:
        """Read the key that signs plans, if there is one."""
        from sfcode.plan.signature import plan_key

        return plan_key(os.environ)

    def load_plan(self, plan_file: Path) -> Plan:
        """Load a saved plan. Raises Refused if the file is not a plan, or if its signature does not match."""
        from sfcode.plan.document import load

        return load(plan_file, self.plan_key())

    def target(self, project: Project) -> str:
        """Name the org of this call: --org, else the environment's."""
        target = self.org or project.target.org
        if target is None:
            raise UsageError(
                f"Environment {project.environment} has no org.",
                "Set `org:` of the environment in sfcode.yaml, or pass --org local, alias:NAME, env:PREFIX or an instance URL.",
            )
        return target

    @contextmanager
    def open_org(
        self, project: Project, *, as_integration: bool = False, count: Callable[[], object] = lambda: None
    ) -> Iterator[Org]:
        """
        Sign in to the org of this call. This process serves `local` unless `local serve` runs.

        Environment variables determine the user; in the local org it is the administrator, or the integration user. `count` is
        called for each response.
        """

        def on_response() -> None:
            self.progress.count()
            count()

        username = project.settings.integration_user.username if as_integration else ""
        api_version = project.settings.salesforce.api_version
        with connect_target(self.target(project), project.root, api_version, username, on_response) as org:
            yield org

    def show_progress(self, text: str) -> AbstractContextManager[None]:
        """Show progress on standard error, unless --quiet is passed."""
        return self.progress.show(text, quiet=self.quiet)


def local_state(root: Path) -> Path:
    """Return the folder of a project's local org."""
    return root / ".sfcode" / "local-org"


@contextmanager
def connect_target(
    target: str, root: Path, api_version: str, username: str = "", on_response: Callable[[], object] = lambda: None
) -> Iterator[Org]:
    """
    Sign in to an org; `local` is that of a project's folder, which this process serves unless `local serve` runs.

    In the local org, `username` is signed in if the user exists, else the administrator.
    """
    from sfcode.org import Runtime, connect

    runtime = Runtime(on_response=on_response)
    if target == "local":
        from sfcode.local import access_token

        state = local_state(root)
        with _find_or_serve(state) as local:
            token = access_token(state, username) if username else None
            environ = {**os.environ, "SF_ACCESS_TOKEN": token or local.access_token}
            with connect(local.url, environ=environ, api_version=api_version, runtime=runtime) as org:
                yield org
    else:
        with connect(target, environ=os.environ, api_version=api_version, runtime=runtime) as org:
            yield org


def _find_or_serve(state: Path) -> AbstractContextManager[RunningOrg | LocalOrg]:
    """Return the running server of a local org, else start one in this process."""
    from sfcode.local.running import find_running

    if running := find_running(state):
        return nullcontext(running)
    from sfcode.local import serve  # slow to import, with the web server and the emulator

    return serve(state)
