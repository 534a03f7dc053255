"""`sfcode local`: run, reset and load the local org, and register apps with it."""

from __future__ import annotations

import json as json_module
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfcode.cli.invocation import Invocation
from sfcode.cli.output import echo, print_envelope, print_status
from sfcode.errors import UsageError

if TYPE_CHECKING:
    from sfcode.local import LocalOrg
    from sfcode.local.appcues import LocalAppcues
    from sfcode.local.faults import InjectedFault

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the org's data. Default: .sfcode/local-org beside the folder of --config.",
)


@click.group()
def local() -> None:
    """
    Run, reset or load the local org: an emulator of a Salesforce org on this machine.

    With `--org local`, plan and apply use a running `local serve` of the project. If none is running, they run the org
    themselves.
    """


@local.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8300, show_default=True, help="Port; 0 selects a free port."
)
@click.option(
    "--appcues-port",
    type=click.IntRange(0, 65535),
    help="Port of the local Appcues. Default: the next port after --port.",
)
@click.option("--tls", is_flag=True, help="Serve https as well, with a certificate made for this machine.")
@click.option(
    "--tls-port",
    type=click.IntRange(0, 65535),
    default=8443,
    show_default=True,
    help="Port of https; 0 selects a free port.",
)
@click.option(
    "--outbound-host",
    "outbound_hosts",
    metavar="HOST",
    multiple=True,
    help="Host, besides this machine, that outbound messages and webhooks may be sent to. Repeatable.",
)
@click.option("--no-deliveries", is_flag=True, help="Keep outbound messages in the queue.")
@click.option(
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="Inject a fault, such as `unavailable,times=2,path=/services/data/*`. Repeatable. "
    "docs/local-org-automation.md lists the faults.",
)
@state_option
@click.pass_obj
def serve(
    invocation: Invocation,
    port: int,
    tls_port: int,
    state: Path | None,
    *,
    appcues_port: int | None,
    outbound_hosts: tuple[str, ...],
    faults: tuple[str, ...],
    tls: bool,
    no_deliveries: bool,
) -> None:
    """
    Serve the local org and the local Appcues on 127.0.0.1 until Ctrl-C. Their state is kept.

    Commands with `--org local` use this server while it runs.

    With --json, prints one line when ready: `url`, `access_token`, `org_id`, `username`, `appcues_url`.
    """
    from sfcode.local import serve as serve_org
    from sfcode.local.appcues import serve_appcues
    from sfcode.local.running import announce

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    fault_rules = _faults(faults)
    state = state or invocation.local_state()
    if appcues_port is None:
        appcues_port = port and port + 1
    with (
        serve_org(
            state,
            port=port,
            tls=tls,
            tls_port=tls_port,
            deliver=not no_deliveries,
            outbound_hosts=outbound_hosts,
            faults=fault_rules,
        ) as org,
        serve_appcues(state, port=appcues_port, outbound_hosts=outbound_hosts) as appcues,
        announce(state, org.url, org.access_token),
    ):
        if invocation.json:
            echo(json_module.dumps(_ready(org, appcues)))
        else:
            echo(_how_to_sign_in(org, appcues, state))
        stop.wait()
    if not invocation.json:
        print_status(invocation, "Stopped.")


@local.command()
@state_option
@click.pass_obj
def reset(invocation: Invocation, state: Path | None) -> None:
    """Replace all data of the local org with the shipped company, and empty the local Appcues."""
    from sfcode.local import reset as reset_org

    state = state or invocation.local_state()
    reset_org(state)
    _print_done(invocation, state, "The local org has been reset.")


@local.command()
@click.argument("company")
@state_option
@click.pass_obj
def load(invocation: Invocation, company: str, state: Path | None) -> None:
    """
    Replace all data of the local org with a company: a file, or the name of a shipped company.

    The shipped companies are northwind (accounts, contacts and leads, as in a new local org), clicked (Northwind,
    connected to Appcues by hand: try `sfcode --org local import`) and subscribers (Northwind with people in the custom
    object Subscriber__c).
    """
    from sfcode.local import load as load_org
    from sfcode.local.seed import list_shipped

    source = company if company in list_shipped() else Path(company)
    if isinstance(source, Path) and not source.is_file():
        raise UsageError(
            f"{company} is neither a file nor a shipped company.",
            f"Shipped companies are {', '.join(list_shipped())}.",
        )
    state = state or invocation.local_state()
    load_org(state, source)
    _print_done(invocation, state, f"The local org is now the company of {company}.")


@local.command()
@click.argument("name")
@click.option("--consumer-key", metavar="KEY", help="Client ID of the app. Default: a generated one.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM file with the certificate, or the public key, that JWT assertions are checked with.",
)
@click.option("--run-as", metavar="USERNAME", help="User that the client credentials flow signs in as.")
@click.option("--user", "users", metavar="USERNAME", multiple=True, help="Pre-authorized user. Repeatable.")
@click.option("--all-users", is_flag=True, help="Let each user approve the app on an authorization page.")
@click.option(
    "--callback-url", "callback_urls", metavar="URL", multiple=True, help="Callback URL for authorization codes."
)
@click.option("--session-minutes", type=click.IntRange(1, 1440), default=120, show_default=True)
@state_option
@click.pass_obj
def app(
    invocation: Invocation,
    name: str,
    state: Path | None,
    *,
    consumer_key: str | None,
    certificate: Path | None,
    run_as: str | None,
    users: tuple[str, ...],
    callback_urls: tuple[str, ...],
    session_minutes: int,
    all_users: bool,
) -> None:
    """Register an app that may sign in to the local org by OAuth, and print its consumer key and secret."""
    from sfcode.local import register_app

    settings = {
        "name": name,
        "consumer_key": consumer_key,
        "certificate": certificate and certificate.read_text(encoding="utf-8", errors="replace"),
        "run_as": run_as,
        "users": list(users),
        "permitted_users": "all" if all_users else "admin_approved",
        "callback_urls": list(callback_urls),
        "session_minutes": session_minutes,
    }
    registration = register_app(state or invocation.local_state(), settings)
    if invocation.json:
        print_envelope({key: registration[key] for key in ("name", "consumer_key", "consumer_secret")})
    else:
        echo(f"consumer key     {registration['consumer_key']}\nconsumer secret  {registration['consumer_secret']}")


def _faults(texts: tuple[str, ...]) -> list[InjectedFault]:
    from sfcode.local.faults import BadFault, from_text

    try:
        return [from_text(text) for text in texts]
    except BadFault as error:
        raise UsageError(f"--fault: {error}.", "docs/local-org-automation.md lists the faults.") from error


def _print_done(invocation: Invocation, state: Path, text: str) -> None:
    if invocation.json:
        print_envelope({"state": str(state)})
    else:
        print_status(invocation, text)


def _ready(org: LocalOrg, appcues: LocalAppcues) -> dict[str, str]:
    ready = {"url": org.url, "access_token": org.access_token, "org_id": org.org_id, "username": org.username}
    ready["appcues_url"] = appcues.url
    return ready | ({"tls_url": org.tls_url, "certificate": str(org.certificate)} if org.tls_url else {})


def _how_to_sign_in(org: LocalOrg, appcues: LocalAppcues, state: Path) -> str:
    return f"""\
The local org answers at {org.url}
  user   {org.username}
  org    {org.org_id}
  state  {state}
{_how_to_trust(org)}
Try it with the sf CLI, without signing in:
  export SF_ORG_INSTANCE_URL={org.url} SF_TARGET_ORG='{org.access_token}'
  sf data query -q 'SELECT Name, Product_User_Id__c FROM Contact'

Or sign in once, and pass --target-org local from then on:
  SF_ACCESS_TOKEN='{org.access_token}' sf org login access-token \\
    --instance-url {org.url} --no-prompt --alias local

The local Appcues answers at {appcues.url}
  account {appcues.account_id}
  export APPCUES_API_URL={appcues.url} APPCUES_API_KEY={appcues.api_key} APPCUES_API_SECRET={appcues.api_secret}

Ctrl-C stops it."""  # noqa: S608


def _how_to_trust(org: LocalOrg) -> str:
    if not org.tls_url:
        return ""
    return f"""\

And at {org.tls_url}, for clients that trust its certificate:
  export NODE_EXTRA_CA_CERTS={org.certificate}   # sf, jsforce and other programs that run on Node
  export REQUESTS_CA_BUNDLE={org.certificate}    # simple-salesforce, CumulusCI and other programs that use requests
"""
