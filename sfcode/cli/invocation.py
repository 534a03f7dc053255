"""One call of the command line: its global options, the project and org they name, and what the verb did."""

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
    What a verb did, for the outputs and the summary of a GitHub step.

    It is filled in while the verb runs, so that a failure keeps what was known.
    """

    verb: str = ""
    plan: Plan | None = None
    saved: Path | None = None
    """Where the plan was saved."""
    review: ReviewReport | None = None
    annotated: bool = False
    """Its findings were printed as annotations already."""
    done: str = ""
    """What was done, in one line."""
    next_steps: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    """What only this verb has to hand on."""
    error: BaseException | None = None


@dataclass(frozen=True)
class Invocation:
    """The global options of one call, and what every verb needs of them."""

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
        """The config folder: the one that was passed, otherwise `config` here or above. Tells of one that is above."""
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
        """Return the folder of the project's local org, which is beside its config wherever a command is started."""
        from sfcode.config.load import project_root

        return local_state(project_root(self.config))

    def secrets(self, project: Project) -> dict[str, str]:
        """Read the project's secrets from the environment variables. Raises ConfigError with the missing ones."""
        from sfcode.config import resolve_secrets

        return resolve_secrets(project, os.environ)

    def plan_key(self) -> Secret | None:
        """Read the key that plans are signed with, where there is one."""
        from sfcode.plan.signature import plan_key

        return plan_key(os.environ)

    def target(self, project: Project) -> str:
        """Name the org of this call: --org, else the environment's."""
        target = self.org or project.target.org
        if target is None:
            raise UsageError(
                f"Environment {project.environment} names no org.",
                "Set `org:` of the environment in sfcode.yaml, or pass --org local, alias:NAME, env:PREFIX or an instance URL.",
            )
        return target

    @contextmanager
    def open_org(
        self, project: Project, *, as_integration: bool = False, count: Callable[[], object] = lambda: None
    ) -> Iterator[Org]:
        """
        Sign in to the org of this call; `local` is served by this process unless a `local serve` runs.

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
        """Show on standard error that something takes its time; nothing with --quiet."""
        return self.progress.show(text, quiet=self.quiet)


def local_state(root: Path) -> Path:
    """Return the folder that holds the local org of a project."""
    return root / ".sfcode" / "local-org"


@contextmanager
def connect_target(
    target: str, root: Path, api_version: str, username: str = "", on_response: Callable[[], object] = lambda: None
) -> Iterator[Org]:
    """
    Sign in to an org; `local` is the one below a project's folder, served by this process unless it is being served.

    There, `username` is signed in if the org has that user, otherwise its administrator.
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
    """Return the running server of a local org, otherwise one of this process."""
    from sfcode.local.running import find_running

    if running := find_running(state):
        return nullcontext(running)
    from sfcode.local import serve  # and with it the web server and the emulator

    return serve(state)
