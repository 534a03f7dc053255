"""Write a draft as the files of a config, with what speaks for each line beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sfcode.config.files import MAPPINGS, SETTINGS
from sfcode.config.models import IntegrationUser
from sfcode.importing.answers import Options
from sfcode.importing.proposal import Draft, MappingDraft
from sfcode.importing.scan_result import Found
from sfcode.mapping.events import HELP_PAGE_ACTIVITIES
from sfcode.mapping.ownership import PLACEHOLDER_ACCOUNT, PLACEHOLDER_RELAY_URL
from sfcode.text import printable

_PLAIN = re.compile(r"[A-Za-z][\w.@+-]*( [\w.@+-]+)*|[A-Za-z]+:[A-Za-z]\w*(\.\w+)?")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"}


def files(found: Found, draft: Draft, options: Options) -> dict[str, str]:
    """Write the files, by their path in the config folder."""
    texts = {SETTINGS: _settings(found, draft, options)}
    texts |= {f"{MAPPINGS}/{mapping.name}.yaml": _mapping(mapping, found) for mapping in draft.mappings}
    return texts


def scalar(text: str) -> str:
    """Write a text as YAML: in quotes where it would be read as something else; `${` stands for itself."""
    text = text.replace("${", "$${")
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    if plain:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # YAML takes no control characters, and reads some others as the end of a line.
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)


def environment(found: Found, options: Options) -> str:
    """Name the environment: as the user says, else after the kind of org."""
    if options.environment:
        return options.environment
    if options.org == "local":
        return "local"
    return "sandbox" if found.is_sandbox else "production"


def _settings(found: Found, draft: Draft, options: Options) -> str:
    return "\n".join(_settings_lines(found, draft, options)) + "\n"


def _settings_lines(found: Found, draft: Draft, options: Options) -> Iterator[str]:
    user, name = draft.user, environment(found, options)
    yield from (
        "# yaml-language-server: $schema=.schema/sfcode.json",
        "",
        *_comment(
            f"Read by `sfcode import` from {found.target.name} ({found.target.org_id}), where somebody had set this up"
        ),
        "# by hand. An apply of this config as it is takes over what is there and changes nothing in it.",
        "version: 1",
        f"name: {scalar(options.name)}",
        "",
        f"# {'A new user: there was none for the integration.' if user.is_new else 'The user that is there.'}",
        "integration_user:",
        "  username: ${integration_username}",
        f"  last_name: {scalar(user.last_name)}",
        "  email: ${integration_email}",
        f"  license: {scalar(user.license)}",
        f"  profile: {scalar(user.profile)}",
        f"  permission_set_license: {scalar(user.set_license)}",
    )
    if user.permission_set:
        yield f"  permission_set: {scalar(user.permission_set)}"
    yield f"  access: {user.access}" + (
        " # what Appcues' help page clicks; least_privilege grants the mapped fields only"
        if user.access == "documented"
        else ""
    )
    if user.access != "documented" and user.record_access != IntegrationUser.model_fields["record_access"].default:
        yield f"  record_access: {user.record_access}"
    if draft.as_is:
        yield ""
        yield from _comment(
            "Taken on as they are. Take a line out, and the next plan shows what would change in it, down to the single "
            "right; nothing changes before."
        )
        yield "as_is:"
        yield from (f"  - {scalar(address)}" for address in draft.as_is)
    yield from (
        "",
        "# Not in Salesforce, and needed before `delivery: relay`.",
        "appcues:",
        "  account_id: ${appcues_account}",
        f"  region: {options.region}",
        "relay:",
        "  url: ${relay_url}",
        "",
        "environments:",
        f"  {name}:",
        f"    org: {scalar(options.org)}",
    )
    if name != "local" and not found.is_sandbox:
        yield "    protected: true # apply wants a plan that was saved and reviewed"
    account, url = options.account or PLACEHOLDER_ACCOUNT, options.relay_url or PLACEHOLDER_RELAY_URL
    yield from (
        "    variables:",
        f"      integration_username: {scalar(user.username)}",
        f"      integration_email: {scalar(user.email)}",
        f"      appcues_account: {json.dumps(account)}"
        + _todo(options.account, "from the account page of Appcues Studio"),
        f"      relay_url: {scalar(url)}" + _todo(options.relay_url, "the public address of your relay"),
    )


def _todo(given: str | None, what: str) -> str:
    return "" if given else f" # to fill in: {what}"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    """Write a sentence as comment lines; line breaks from the org stay inside it."""
    line = f"{indent}#"
    for word in map(printable, text.split()):  # YAML takes no control characters in a comment either
        if len(line) + len(word) > 100:
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _mapping(mapping: MappingDraft, found: Found) -> str:
    return "\n".join(_mapping_lines(mapping, found)) + "\n"


def _mapping_lines(mapping: MappingDraft, found: Found) -> Iterator[str]:
    group = mapping.object == "Account"
    yield from (
        "# yaml-language-server: $schema=../.schema/mapping.json",
        "",
        f"object: {mapping.object}",
        f"match: {'group' if group else 'user'}",
        f"direction: {mapping.direction}",
        "",
        "# Today Appcues' own connector carries the data. `relay` moves it to the relay of this project, in one apply.",
        "delivery: connector",
    )
    if mapping.replaces:
        yield ""
        yield "# What sends today. It stays while delivery is connector; the apply that brings the relay's own deletes it."
        yield "replaces:"
        yield from (f"  - {scalar(address)}" for address in mapping.replaces)
    yield ""
    formula = found.formulas.get(f"{mapping.object}.{mapping.user_id}")
    if formula:
        yield from _comment(f"A formula: {formula.text}")
    yield from ("user_id:", f"  field: {mapping.user_id}")
    if mapping.source:
        yield f"  from: {mapping.source}"
    if mapping.sends:
        yield ""
        yield from _comment(
            f"Appcues attribute: Salesforce field; {mapping.attributes_because}. The names of the attributes are made of the "
            "fields' names: compare them with those in Appcues Studio before `delivery: relay`."
        )
        yield from ("to_appcues:", "  attributes:")
        yield from (f"    {scalar(name)}: {field}" for name, field in sorted(mapping.attributes.items()))
    if mapping.receives:
        yield from ("", "to_salesforce:", *_back(mapping))


def _back(mapping: MappingDraft) -> Iterator[str]:
    targets = {"score": mapping.score, "feedback": mapping.feedback}
    if any(targets.values()):
        yield "  nps:"
        yield from (f"    {key}: {field}" for key, field in targets.items() if field)
    if mapping.activities:
        yield "  # All that the connector writes; which of them, and click-to-track events, is chosen in Appcues."
        yield f"  activities: [{', '.join(HELP_PAGE_ACTIVITIES)}]"
