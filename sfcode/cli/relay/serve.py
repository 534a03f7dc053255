"""`sfcode relay serve`."""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from sfcode.cli.invocation import Invocation, local_state
from sfcode.cli.output import print_status

if TYPE_CHECKING:
    from sfcode.config.project import Project
    from sfcode.org import Org

SHORTEST_LEASE = 5.0
"""Seconds: two of them are kept for writing down what came of it, and no call begins in the last one before."""


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Another port for the dashboard and /metrics, which --port then does not serve; 0 takes a free one.",
)
@click.option(
    "--lease",
    type=click.FloatRange(SHORTEST_LEASE, 600.0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a process has messages to itself; after a crash they wait for so long. The same for all processes.",
)
@click.pass_obj
def serve_command(invocation: Invocation, host: str, port: int, admin_port: int | None, lease: float) -> None:
    """
    Receive webhooks and outbound messages and deliver them, until Ctrl-C.

    Beyond loopback it listens only when every secret is set; docs/relay.md lists the variables. With
    `--org local` it serves the local org and the local Appcues to itself. A second Ctrl-C stops at once.
    With --json, prints one line when ready: url, pid, ...
    """
    from sfcode.relay import log
    from sfcode.relay.settings import read_settings

    project = invocation.project()
    with ExitStack() as stack:
        environ = dict(os.environ)
        local, connect = _far_sides(invocation, project, environ, stack)
        settings = read_settings(project, environ, host=host, port=port, admin_port=admin_port, lease=lease)
        log.configure(sys.stderr, verbose=invocation.verbose)
        from sfcode.relay.main import serve

        def ready(url: str, admin_url: str) -> None:
            if invocation.json:
                apart = {} if admin_url == url else {"admin_url": admin_url}
                click.echo(json_module.dumps({"url": url, **apart, "pid": os.getpid(), **local}))
            else:
                click.echo(_where(url, admin_url, local, locked=settings.admin is not None))

        serve(project, settings, connect, ready)
    if not invocation.json:
        print_status(invocation, "Stopped.")


def _far_sides(
    invocation: Invocation, project: Project, environ: dict[str, str], stack: ExitStack
) -> tuple[dict[str, Any], Callable[[], Org]]:
    """Return what the local servers answer with, and how to sign in to Salesforce."""
    from sfcode.org import connect
    from sfcode.org.options import Runtime
    from sfcode.org.signin import sign_in
    from sfcode.relay.clock import boot_time

    target = invocation.target(project)
    api_version = project.settings.salesforce.api_version
    local: dict[str, Any] = {}
    if target == "local":
        local = _local(project, environ, stack)
        target = local["org_url"]
    else:
        sign_in(target, environ, Runtime())  # reports missing configuration now; a sign-in that fails is reported later
    return local, lambda: connect(
        target, environ=environ, api_version=api_version, runtime=Runtime(read_timeout=30.0, clock=boot_time)
    )


def _local(project: Project, environ: dict[str, str], stack: ExitStack) -> dict[str, Any]:
    """Serve the local org, with deliveries, and the local Appcues unless another is named."""
    from sfcode.local import access_token, serve
    from sfcode.local.appcues import serve_appcues
    from sfcode.relay.settings import API_KEY, API_SECRET, API_URL

    state = local_state(project.root)
    org = stack.enter_context(serve(state, deliver=True))
    # Fields that were made by apply are seen by nobody but the integration user, here as in Salesforce.
    environ["SF_ACCESS_TOKEN"] = access_token(state, project.settings.integration_user.username) or org.access_token
    ready = {"org_url": org.url, "access_token": org.access_token, "org_id": org.org_id, "username": org.username}
    if not environ.get(API_URL):
        account = stack.enter_context(serve_appcues(state))
        environ.update({API_URL: account.url, API_KEY: account.api_key, API_SECRET: account.api_secret})
        ready["appcues_url"] = account.url
    return ready


def _where(url: str, admin_url: str, local: dict[str, Any], *, locked: bool) -> str:
    lines = [f"The relay answers at {url}", f"  dashboard  {admin_url}/" + (" (admin token)" if locked else "")]
    if local:
        lines += [f"  local org  {local['org_url']} as {local['username']}, token {local['access_token']}"]
    if "appcues_url" in local:
        lines += [f"  Appcues    {local['appcues_url']}"]
    return "\n".join([*lines, "Ctrl-C stops it."])
