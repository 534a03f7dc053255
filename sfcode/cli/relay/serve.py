"""`sfcode relay serve`."""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.invocation import Invocation, local_state
from sfcode.cli.output import echo, print_status
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError, SfcodeError, UsageError

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org
    from sfcode.relay.api_calls import PendingApiCalls
    from sfcode.relay.config import RelayConfig

SHORTEST_LEASE = 5.0
"""
The minimum lease in seconds. Its last two seconds are reserved to store the results, and no call starts in the second
before them.
"""


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="Port; 0 selects a free port."
)
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Separate port for the dashboard and /metrics, which --port then does not serve; 0 selects a free port.",
)
@click.option(
    "--lease",
    type=click.FloatRange(SHORTEST_LEASE, 600.0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for which a process owns its claimed messages, and for which they wait after a crash. Use the same value for all processes.",
)
@click.pass_obj
def serve_command(invocation: Invocation, host: str, port: int, admin_port: int | None, lease: float) -> None:
    """
    Receive webhooks and outbound messages and deliver them, until Ctrl-C.

    Reloads its config when the files change, and on SIGHUP; an invalid config is refused. Listens beyond loopback only
    if every secret is set; docs/relay.md lists the variables. With `--org local`, also serves the local org and the
    local Appcues. A second Ctrl-C stops at once. With --json, prints one line when ready: url, pid, ...
    """
    if sys.platform == "win32":
        raise UsageError(
            "The relay does not run on Windows.", "Run it in WSL, in a container, or on Linux; see docs/deploying.md."
        )
    from sfcode.relay import log
    from sfcode.relay.api_calls import PendingApiCalls
    from sfcode.relay.config import ConfigSource, RelayConfig, stamp_files
    from sfcode.relay.settings import read_settings

    stamps = stamp_files(invocation.config)
    project = invocation.project()
    with ExitStack() as stack:
        environ = dict(os.environ)
        api_calls = PendingApiCalls()
        local, connect = _prepare_connections(invocation, project, environ, stack, api_calls)
        missing_sign_in = None if local else _check_sign_in(invocation.target(project), environ)

        def read() -> RelayConfig:
            loaded = invocation.project()
            settings = read_settings(loaded, environ, host=host, port=port, admin_port=admin_port, lease=lease)
            return RelayConfig(loaded, settings)

        config = _read_all_settings(read, missing_sign_in)
        log.configure(sys.stderr, verbose=invocation.verbose)
        from sfcode.relay.main import serve
        from sfcode.relay.tracing import tracing

        def load() -> RelayConfig:
            reloaded_config = read()
            before, now = (invocation.target(candidate.project) for candidate in (config, reloaded_config))
            if before != now:
                raise UsageError(
                    f"environments.{reloaded_config.project.environment}.org is {now} now, and this process is signed in to {before}.",
                    "Restart the relay to change its org.",
                )
            return reloaded_config

        def ready(url: str, admin_url: str) -> None:
            if invocation.json:
                apart = {} if admin_url == url else {"admin_url": admin_url}
                echo(json_module.dumps({"url": url, **apart, "pid": os.getpid(), **local}))
            else:
                echo(_describe_addresses(url, admin_url, local, locked=config.settings.admin is not None))

        stack.enter_context(tracing(os.environ))
        serve(config, ConfigSource(invocation.config, load, stamps), connect, ready, api_calls)
    if not invocation.json:
        print_status(invocation, "Stopped.")


def _prepare_connections(
    invocation: Invocation,
    project: Project,
    environ: dict[str, str],
    stack: ExitStack,
    api_calls: PendingApiCalls,
) -> tuple[dict[str, Any], Callable[[RelayConfig], Org]]:
    """Return the addresses of the local servers, if they are used, and the function that signs in to Salesforce."""
    from sfcode.org import connect
    from sfcode.org.options import Runtime
    from sfcode.relay.clock import boot_time
    from sfcode.relay.tracing import trace_headers

    target = invocation.target(project)
    local: dict[str, Any] = {}
    if target == "local":
        local = _serve_locally(project, environ, stack)
        target = local["org_url"]
    return local, lambda config: connect(
        target,
        environ=environ,
        api_version=config.project.settings.salesforce.api_version,
        runtime=Runtime(read_timeout=30.0, clock=boot_time, on_response=api_calls.count, request_headers=trace_headers),
    )


def _check_sign_in(target: str, environ: Mapping[str, str]) -> SfcodeError | None:
    """Return the error of a sign-in whose settings are missing; the relay reports a refused sign-in later, and retries it."""
    from sfcode.org.options import Runtime
    from sfcode.org.signin import sign_in

    try:
        sign_in(target, environ, Runtime())
    except SfcodeError as error:
        return error
    return None


def _read_all_settings(read: Callable[[], RelayConfig], missing_sign_in: SfcodeError | None) -> RelayConfig:
    """Read the config. Raises ConfigError or SignInError with every missing setting, that of the sign-in included."""
    try:
        config = read()
    except ConfigError as error:
        if missing_sign_in is None:
            raise
        problem = Diagnostic.error(None, "", missing_sign_in.message.rstrip("."), missing_sign_in.hint)
        raise ConfigError([*error.problems, problem]) from missing_sign_in
    if missing_sign_in is not None:
        raise missing_sign_in
    return config


def _serve_locally(project: Project, environ: dict[str, str], stack: ExitStack) -> dict[str, Any]:
    """Serve the local org with deliveries, and the local Appcues unless the URL of another one is set."""
    from sfcode.local import access_token, serve
    from sfcode.local.appcues import serve_appcues
    from sfcode.relay.settings import API_KEY, API_SECRET, API_URL

    state = local_state(project.root)
    org = stack.enter_context(serve(state, deliver=True))
    # As in Salesforce, only the integration user has access to fields that apply created.
    environ["SF_ACCESS_TOKEN"] = access_token(state, project.settings.integration_user.username) or org.access_token
    ready = {"org_url": org.url, "access_token": org.access_token, "org_id": org.org_id, "username": org.username}
    if not environ.get(API_URL):
        account = stack.enter_context(serve_appcues(state))
        environ.update({API_URL: account.url, API_KEY: account.api_key, API_SECRET: account.api_secret})
        ready["appcues_url"] = account.url
    return ready


def _describe_addresses(url: str, admin_url: str, local: dict[str, Any], *, locked: bool) -> str:
    lines = [f"The relay answers at {url}", f"  dashboard  {admin_url}/" + (" (admin token)" if locked else "")]
    if local:
        lines += [f"  local org  {local['org_url']} as {local['username']}, token {local['access_token']}"]
    if "appcues_url" in local:
        lines += [f"  Appcues    {local['appcues_url']}"]
    return "\n".join([*lines, "Ctrl-C stops it."])
