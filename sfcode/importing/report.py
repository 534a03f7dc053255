"""The report of an import, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sfcode.importing.answers import ImportOptions
from sfcode.importing.pipeline import ImportResult
from sfcode.importing.scan_result import Message
from sfcode.plan.change import Action, Change
from sfcode.text import Paint, printable, wrap

_WORDS = {Action.CREATE: "would be created", Action.UPDATE: "would be changed", Action.DELETE: "would be deleted"}
_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}


def format_report(result: ImportResult, options: ImportOptions, paint: Paint) -> str:
    """Render the content of the org, the effect of an apply, and the missing values."""
    return "\n".join(_lines(result, options, paint)).rstrip("\n")


def _lines(result: ImportResult, options: ImportOptions, paint: Paint) -> Iterator[str]:
    target, draft = result.found.target, result.draft
    yield printable(f"Found in {target.name} ({target.org_id}, {target.instance_url}):")
    yield ""
    for choice in draft.choices:
        yield printable(f"  {choice.what}: {choice.value}")
        yield wrap(choice.because, "      ")
    if draft.leftovers:
        yield ""
        yield "Sends to Appcues today, until an apply with `delivery: relay` deletes it:"
        yield from (line for message in draft.leftovers for line in _message(message))
    yield from _section("To do by hand before that:", draft.by_hand)
    yield ""
    yield from _effect(result, paint)
    yield from _section("Notes:", (*draft.notes, *result.plan.warnings))
    yield from _section("To fill in before `delivery: relay`:", to_fill_in(options))


def _section(title: str, items: tuple[str, ...]) -> Iterator[str]:
    if items:
        yield ""
        yield title
        yield from (wrap(item, "    ", "  - ") for item in items)


def _message(message: Message) -> Iterator[str]:
    origin = "Appcues' own connector" if message.by_connector else "made by hand"
    yield wrap(f"{message.address} ({origin}), to {message.shown_host}", "    ", "  ")
    for firing in message.fired_by:
        yield wrap(
            f"fired by {firing.address}" + ("" if firing.alone else ", which has other actions too"), "      ", "    "
        )


def _effect(result: ImportResult, paint: Paint) -> Iterator[str]:
    """Describe the effect of an apply, from the plan of the config."""
    unchanged = [change for change in result.plan.changes if change.action is Action.NO_OP]
    adopted = [change for change in unchanged if change.adopted]
    if adopted:
        yield "Adopted unchanged:"
        yield from (f"    {change.address}" for change in adopted)
    unchanged_records = [change for change in unchanged if change.address.is_record]
    if unchanged_records:
        yield "These exist already and match the config:"
        yield from (f"    {change.address}" for change in unchanged_records)
    effective = result.plan.effective
    for action, words in _WORDS.items():
        changes = [change for change in effective if change.action is action]
        if changes:
            yield f"By the plan, this {words}:"
            yield from (
                f"  {paint(_SIGNS[action], _SIGNS[action])} {line}" for change in changes for line in _change(change)
            )
    for refusal in result.plan.refusals:
        yield paint(printable(f"Refused: {refusal}"), "!")
    if not effective and not result.plan.refusals:
        yield wrap("An apply changes nothing in the org; it only records what sfcode manages from then on.")


def _change(change: Change) -> Iterator[str]:
    names = ", ".join(dict.fromkeys(str(attribute.path[0]) for attribute in change.attributes))
    yield str(change.address) + (f" ({names})" if change.action is Action.UPDATE else "")


def to_fill_in(options: ImportOptions) -> tuple[str, ...]:
    """List the values that an org does not contain: the Appcues account and the relay's URL."""
    missing = []
    if not options.account:
        missing.append(
            "appcues_account: the account ID, from the account page of Appcues Studio (or --appcues-account)"
        )
    if not options.relay_url:
        missing.append("relay_url: the public address of the relay (or --relay-url)")
    return tuple(missing)


def to_document(result: ImportResult, options: ImportOptions) -> dict[str, Any]:
    """Return the report as JSON values; `files` holds the texts of the files."""
    draft, plan = result.draft, result.plan
    return {
        "org": result.found.target.org_id,
        "choices": [
            {"what": choice.what, "value": choice.value, "because": choice.because} for choice in draft.choices
        ],
        "leftovers": [
            {
                "address": str(message.address),
                "connector": message.by_connector,
                "host": message.shown_host,
                "fired_by": [str(firing.address) for firing in message.fired_by],
            }
            for message in draft.leftovers
        ],
        "by_hand": list(draft.by_hand),
        "notes": list(draft.notes),
        "as_is": list(draft.as_is),
        "changes": {str(change.address): change.action.value for change in plan.effective},
        "refusals": [str(refusal) for refusal in plan.refusals],
        "to_fill_in": list(to_fill_in(options)),
        "files": dict(result.texts),
    }
