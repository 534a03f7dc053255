"""Render a proposed config as YAML files, with the reason of each value in a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sfcode.config.files import MAPPINGS, SETTINGS
from sfcode.config.models import IntegrationUser
from sfcode.importing.answers import ImportOptions
from sfcode.importing.proposal import ConfigProposal, MappingProposal, UserProposal
from sfcode.importing.scan_result import ScanResult
from sfcode.mapping.events import HELP_PAGE_ACTIVITIES
from sfcode.mapping.naming import PLACEHOLDER_ACCOUNT, PLACEHOLDER_RELAY_URL
from sfcode.mapping.permissions import API_ONLY_PROFILES
from sfcode.text import printable

_PLAIN = re.compile(r"[A-Za-z][\w.@+-]*( [\w.@+-]+)*|[A-Za-z]+:[A-Za-z]\w*(\.\w+)?")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"}


def render_files(scan: ScanResult, draft: ConfigProposal, options: ImportOptions) -> dict[str, str]:
    """Return the texts of the files by their path in the config folder."""
    texts = {SETTINGS: _settings(scan, draft, options)}
    texts |= {f"{MAPPINGS}/{mapping.name}.yaml": _render_mapping(mapping, scan) for mapping in draft.mappings}
    return texts


def quote_scalar(text: str) -> str:
    """Format a text as a YAML scalar, quoted if necessary; `${` is escaped."""
    text = text.replace("${", "$${")
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    if plain:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # YAML allows no control characters, and treats some other characters as line ends.
    return "".join(character if character.isprintable() else f"\\U{ord(character):08x}" for character in quoted)


def environment_name(scan: ScanResult, options: ImportOptions) -> str:
    """Return the name of the environment: that of the option, else one for the kind of org."""
    if options.environment:
        return options.environment
    if options.org == "local":
        return "local"
    return "sandbox" if scan.is_sandbox else "production"


def _settings(scan: ScanResult, draft: ConfigProposal, options: ImportOptions) -> str:
    return "\n".join(_settings_lines(scan, draft, options)) + "\n"


def _settings_lines(scan: ScanResult, draft: ConfigProposal, options: ImportOptions) -> Iterator[str]:
    yield from (
        "# yaml-language-server: $schema=.schema/sfcode.json",
        "",
        *_comment(
            f"Read by `sfcode import` from {scan.target.name} ({scan.target.org_id}), where the integration was set up "
            "by hand. An apply of this config adopts the existing components unchanged."
        ),
        "version: 1",
        f"name: {quote_scalar(options.name)}",
        "# Identifies the project's state in an org, also after a change of the name. Every project has its own.",
        f"id: {options.identity}",
        "",
        *_user_lines(draft.user),
    )
    if draft.as_is:
        yield ""
        yield from _comment(
            "Adopted unchanged. Remove a line, and the next plan shows each change of the component; nothing "
            "changes before."
        )
        yield "as_is:"
        yield from (f"  - {quote_scalar(address)}" for address in draft.as_is)
    yield from (
        "",
        "# Not stored in Salesforce, and needed before `delivery: relay`.",
        "appcues:",
        "  account_id: ${appcues_account}",
        f"  region: {options.region}",
        "relay:",
        "  url: ${relay_url}",
        "",
        "environments:",
        *_environment_lines(scan, draft.user, options),
    )


def _user_lines(user: UserProposal) -> Iterator[str]:
    yield from (
        f"# {'A new user: there was none for the integration.' if user.is_new else 'The existing integration user.'}",
        "integration_user:",
        "  username: ${integration_username}",
        f"  last_name: {quote_scalar(user.last_name)}",
        "  email: ${integration_email}",
        f"  license: {quote_scalar(user.license)}",
        f"  profile: {quote_scalar(user.profile)}",
        f"  permission_set_license: {quote_scalar(user.set_license)}",
    )
    if user.profile not in API_ONLY_PROFILES:
        yield from _comment("The profile allows more than the API; the integration has its permissions as well.", "  ")
        yield f"  accepted_rights: [{json.dumps(f'Profile:{user.profile}', ensure_ascii=False)}]"
    if user.permission_set:
        yield f"  permission_set: {quote_scalar(user.permission_set)}"
    if user.access == "documented":
        yield "  access: documented # the permissions of Appcues' help page; least_privilege grants the mapped fields only"
        return
    yield f"  access: {user.access}"
    if user.record_access != IntegrationUser.model_fields["record_access"].default:
        yield f"  record_access: {user.record_access}"


def _environment_lines(scan: ScanResult, user: UserProposal, options: ImportOptions) -> Iterator[str]:
    name = environment_name(scan, options)
    yield f"  {name}:"
    yield f"    org: {quote_scalar(options.org)}"
    if name != "local" and not scan.is_sandbox:
        yield "    protected: true # apply requires a saved plan"
    account, url = options.account or PLACEHOLDER_ACCOUNT, options.relay_url or PLACEHOLDER_RELAY_URL
    yield from (
        "    variables:",
        f"      integration_username: {quote_scalar(user.username)}",
        f"      integration_email: {quote_scalar(user.email)}",
        f"      appcues_account: {json.dumps(account)}"
        + _todo(options.account, "from the account page of Appcues Studio"),
        f"      relay_url: {quote_scalar(url)}" + _todo(options.relay_url, "the public address of your relay"),
    )


def _todo(value: str | None, instruction: str) -> str:
    return "" if value else f" # to fill in: {instruction}"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    """Format a sentence as comment lines, with line breaks escaped."""
    line = f"{indent}#"
    for word in map(printable, text.split()):  # YAML takes no control characters in a comment either
        if len(line) + len(word) > 100:
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _render_mapping(mapping: MappingProposal, scan: ScanResult) -> str:
    return "\n".join(_mapping_lines(mapping, scan)) + "\n"


def _mapping_lines(mapping: MappingProposal, scan: ScanResult) -> Iterator[str]:
    group = mapping.object == "Account"
    yield from (
        "# yaml-language-server: $schema=../.schema/mapping.json",
        "",
        f"object: {mapping.object}",
        f"match: {'group' if group else 'user'}",
        f"direction: {mapping.direction}",
        "",
        "# Today Appcues' own connector delivers the data. `relay` moves it to the relay of this project, in one apply.",
        "delivery: connector",
    )
    if mapping.replaces:
        yield ""
        yield "# The components that send today. They are kept with delivery: connector, and deleted by the apply with delivery: relay."
        yield "replaces:"
        yield from (f"  - {quote_scalar(address)}" for address in mapping.replaces)
    yield ""
    formula = scan.formulas.get(f"{mapping.object}.{mapping.user_id}")
    if formula:
        yield from _comment(f"A formula: {formula.text}")
    yield from ("user_id:", f"  field: {mapping.user_id}")
    if mapping.source:
        yield f"  from: {mapping.source}"
    if mapping.sends:
        yield ""
        yield from _comment(
            f"Appcues attribute: Salesforce field; {mapping.attributes_because}. The names of the attributes are "
            "derived from the fields' names: compare them with Appcues Studio before `delivery: relay`."
        )
        yield from ("to_appcues:", "  attributes:")
        yield from (f"    {quote_scalar(name)}: {field}" for name, field in sorted(mapping.attributes.items()))
    if mapping.receives:
        yield from ("", "to_salesforce:", *_back(mapping))


def _back(mapping: MappingProposal) -> Iterator[str]:
    targets = {"score": mapping.score, "feedback": mapping.feedback}
    if any(targets.values()):
        yield "  nps:"
        yield from (f"    {key}: {field}" for key, field in targets.items() if field)
    if mapping.activities:
        yield "  # All events that the connector can write; which of these and of click-to-track events it writes is set in Appcues."
        yield f"  activities: [{', '.join(HELP_PAGE_ACTIVITIES)}]"
