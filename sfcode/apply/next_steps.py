"""List the remaining manual steps after an apply, with the values of the project."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from textwrap import fill

from sfcode.config.mapping_models import Mapping
from sfcode.config.project import NamedMapping, Project
from sfcode.config.relay_models import WebhookAuth
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping import naming
from sfcode.mapping.events import PREFIX
from sfcode.mapping.permissions import API_ONLY_LICENSES
from sfcode.plan.modes import Mode
from sfcode.plan.plan import Plan

SECRET = "SFCODE_RELAY_WEBHOOK_SECRET"  # noqa: S105 (the name of a variable)
DIRECTIONS = {
    "both": "both directions",
    "to_appcues": "Salesforce to Appcues only",
    "to_salesforce": "Appcues to Salesforce only",
}


MOVED = """\
The relay has taken the place of Appcues' connector. Keep this order, so that
no Event is written twice:
  1. Check that the relay answers at {url}/readyz.
     Salesforce sends to it from now on, and repeats each message for 24 hours.
  2. Appcues Studio, Integrations, Salesforce: Deactivate Integration. Until
     then the connector writes Events.
  3. Only then create the webhook named below: from then on the relay writes
     Events. Appcues events between steps 2 and 3 become no Events, so do step 3
     immediately after step 2.
  4. Run `sfcode plan` again: it names a message and rule that the connector may
     have created since."""

ROLL_OUT = """\
The relay uses the new config after it has loaded the files: copy this project's
files to the relay. Its /healthz then shows config {digest}, and
`sfcode doctor` compares the two."""

WIDTH = 80
LABEL = re.compile(r"\s*\S+(?: \S+)*\s{2,}")
"""The beginning of a line up to the column of its text, if two spaces separate them."""
INDENT = 6
"""The column of the text in other lines."""
"""The maximum number of characters of a line that has no long URL."""


@dataclass(frozen=True, slots=True)
class ManualStep:
    """A manual step."""

    section: str
    """The heading above the step; "" for none."""
    text: str

    @property
    def digest(self) -> str:
        """The short hash that the state stores once an apply has printed the step."""
        return hashlib.sha256(f"{self.section}\n{self.text}".encode()).hexdigest()[:12]


def steps_after(project: Project, plan: Plan, printed_digests: Collection[str] = ()) -> str:
    """
    Return the manual steps after an apply, in an order that neither loses nor duplicates data.

    `printed_digests` holds the digests of steps that an earlier apply has printed; `sfcode next-steps` prints all steps. The text
    is empty if the apply changed only the applied state. Events could be written twice while both Appcues' connector
    and the relay are active: the connector writes until its integration is deactivated in Appcues Studio, the relay
    as soon as Appcues has its webhook. In Salesforce, one transaction replaces the connector's message by the relay's.
    """
    if plan.mode is Mode.DESTROY:
        return ""
    blocks = []
    if any(change.replaced for change in plan.effective):
        blocks.append(MOVED.format(url=project.settings.relay.url.rstrip("/")))
    if plan.relay and plan.relay.after and plan.relay.settings:
        blocks.append(ROLL_OUT.format(digest=plan.relay.digests[1]))
    if plan.effective:
        blocks.append(_format_steps(step for step in list_steps(project) if step.digest not in printed_digests))
    return "\n\n".join(filter(None, blocks))


def next_steps(project: Project) -> str:
    """Return the steps; an empty text if there are none."""
    return _format_steps(list_steps(project))


def list_steps(project: Project) -> tuple[ManualStep, ...]:
    """List all manual steps in order."""
    relay = [mapping for mapping in project.mappings if mapping.spec.delivery == "relay"]
    connector = [mapping for mapping in project.mappings if mapping.spec.delivery == "connector"]
    appcues = [*_relay(project, relay), *(line for mapping in connector for line in _wizard(project, mapping))]
    steps = [
        *_split_steps("Left to do in Appcues:", appcues),
        *_split_steps("Left to do for the relay's sign-in:", _sign_in_app(project)),
        *_split_steps("Left to do in Salesforce:", _viewers(project)),
    ]
    if relay:
        steps.append(ManualStep("", f"Then run the relay: sfcode --env {project.environment} relay serve"))
    return tuple(steps)


def _split_steps(section: str, lines: Iterable[str]) -> Iterator[ManualStep]:
    """Split lines into steps, which begin with a dash, and wrap them."""
    step: list[str] = []
    for line in lines:
        if step and line.startswith("  - "):
            yield ManualStep(section, "\n".join(step))
            step = []
        step.append(_wrap(line))
    if step:
        yield ManualStep(section, "\n".join(step))


def _format_steps(steps: Iterable[ManualStep]) -> str:
    lines: list[str] = []
    for section, inside in groupby(steps, key=lambda step: step.section):
        lines += [*([section] if section else []), *(step.text for step in inside)]
    return "\n".join(lines)


def _viewers(project: Project) -> Iterator[str]:
    """Return the step that gives people access to the new fields, which nobody can see after a deployment."""
    if project.settings.viewers or not project.creates_fields:
        return
    permission_set = naming.viewer_set(project.settings.name)
    yield (
        "  - Give people access to the new fields, which nobody can read yet, administrators included. "
        f"This command assigns the permission set {permission_set}; `viewers:` in sfcode.yaml lists people permanently"
    )
    yield f"      sfcode --env {project.environment} viewers add USERNAME"


def _sign_in_app(project: Project) -> Iterator[str]:
    """Return the steps that complete the relay's sign-in, since the org generates the key of the app."""
    sign_in = project.settings.relay.sign_in
    if sign_in is None:
        return
    app, user = naming.label(naming.relay_app(project.settings.name)), project.settings.integration_user.username
    yield f"  - Salesforce Setup, External Client App Manager, {app}, Settings, OAuth Settings:"
    if sign_in.flow == "jwt":
        yield "      Consumer Key     into SF_CONSUMER_KEY of the relay's environment"
        yield "      SF_JWT_KEY_FILE  is the private key of the certificate, on the relay's machine alone"
        yield f"      SF_USERNAME      {user}"
    else:
        yield "      Consumer Key     into SF_CLIENT_ID of the relay's environment"
        yield "      Consumer Secret  into SF_CLIENT_SECRET; put neither into a file of this project"
    yield "      SF_ORG_INSTANCE_URL  the address of this org (Setup, My Domain)"
    yield "      A new key is refused as invalid_client_id for up to 30 minutes; the relay waits and tries again"


def _relay(project: Project, mappings: list[NamedMapping]) -> Iterator[str]:
    recipes = project.recipes
    own = {f"{PREFIX}{name}" for name in recipes.webhook_events}
    events = sorted({event for mapping in mappings for event in _events(mapping.spec)} | own)
    if events:
        base = project.settings.relay.url.rstrip("/")
        auth = project.settings.relay.webhook_auth
        yield "  - Settings, Webhooks: create a webhook"
        yield f"      URL     {base}/webhooks/appcues{_path(auth)}"
        yield f"      Events  {', '.join(events)}"
        yield from (f"      {line}" for line in _webhook_auth(auth))
    clicked = {name for registration in recipes.event_registration for name in registration.when.name}
    tracked = sorted({name for mapping in mappings for name in _list_tracked_events(mapping.spec)} | clicked)
    if tracked:
        yield "  - Events Broadcaster (an add-on): send these click-to-track events to this URL"
        yield f"      {', '.join(tracked)}"
    if recipes.group_progress or any(mapping.spec.direction != "to_salesforce" for mapping in mappings):
        region = project.settings.appcues.region
        yield f"  - Settings, API keys: make a key for the relay (account {project.settings.appcues.account_id}, {region})"
    for mapping in mappings:
        call = "Appcues.identify(USER_ID)" if mapping.spec.match == "user" else "Appcues.group(ACCOUNT_ID)"
        yield f"  - Installation: the ID in {call}"
        yield f"      must equal {mapping.spec.object}.{mapping.spec.user_id.field}"


def _path(auth: WebhookAuth) -> str:
    # The name of the secret is printed, never its value.
    return f"/<value of {SECRET}>" if auth.scheme == "path" else ""


def _webhook_auth(auth: WebhookAuth) -> list[str]:
    """Return the settings of the authentication that Appcues must send with its events."""
    algorithm, encoding = (auth.algorithm or "sha256").upper().replace("SHA", "SHA-"), auth.encoding or "hex"
    lines = {
        "none": ["Sign-in none: the relay accepts events from this machine only"],
        "path": [],
        "header": [f"Header  {auth.header}: <value of {SECRET}>"],
        "bearer": [f"Header  Authorization: Bearer <value of {SECRET}>"],
        "basic": [f"Sign-in Basic: user name and password are USER:PASSWORD in {SECRET}"],
        "hmac": [
            f"Signing HMAC-{algorithm} of {auth.signed or '{body}'} in {encoding}, with the key in {SECRET}",
            f"        in the header {auth.header}: {auth.prefix or ''}<signature>",
        ],
        "standard_webhooks": [
            "Signing Standard Webhooks: copy the signing secret, which begins with whsec_,",
            f"        into {SECRET}",
        ],
    }[auth.scheme]
    if auth.scheme == "hmac" and auth.timestamp_header:
        lines.append(f"        and the time of signing in the header {auth.timestamp_header}")
    return lines


def _events(spec: Mapping) -> set[str]:
    if spec.to_salesforce is None:
        return set()
    names = (event for value, _ in spec.to_salesforce.targets for event in value.events)
    return {f"{PREFIX}{name}" for name in (*spec.to_salesforce.activity_events, *names)}


def _list_tracked_events(spec: Mapping) -> tuple[str, ...]:
    return spec.to_salesforce.click_to_track if spec.to_salesforce else ()


def _wizard(project: Project, mapping: NamedMapping) -> Iterator[str]:
    spec = mapping.spec
    attributes = spec.to_appcues.attributes if spec.to_appcues else {}
    yield f"  - Integrations, Salesforce ({mapping.name}): run the wizard"
    user = project.settings.integration_user
    if user.license in API_ONLY_LICENSES:
        who = f"a user who can sign in with a browser, such as an administrator, unlike {user.username}"
    else:
        who = user.username
    yield f"      Step 1  sign in as {who}; record type {spec.object}"
    yield f"      Step 2  {DIRECTIONS[spec.direction]}"
    sent_fields = ", ".join(sorted({attribute.field for attribute in attributes.values()})) or "none"
    yield f"      Step 3  match on {spec.user_id.field}; send {sent_fields}"
    click = "yes" if _list_tracked_events(spec) else "no"
    targets = spec.to_salesforce.targets if spec.to_salesforce else ()
    fields = ", ".join(f"{value.noun} to {target.field}" for value, target in targets)
    yield f"      Step 4  click-to-track: {click}; {fields or 'no NPS fields'}"


def _wrap(line: str) -> str:
    """Break a line at spaces; the lines after the first begin below its text, behind the label. URLs are not broken."""
    if "://" in line:
        return line
    label = LABEL.match(line)
    indent = label.end() if label else INDENT
    return fill(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
