"""Rules for `events.yaml`: the relay must be able to render its templates, and aliases must name other events."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.config.did_you_mean import find_nearest_name
from sfcode.config.document import Document, PathProblem, format_path
from sfcode.config.event_models import Events
from sfcode.config.template import find_template_names, find_template_problem
from sfcode.diagnostics import Diagnostic
from sfcode.mapping.events import ACTIVITY_EVENTS, BY_NAME, event_attributes
from sfcode.mapping.place import ConfigPath


def check_events(events: Events, document: Document, shipped_events: Events) -> Iterator[Diagnostic]:
    """Check the templates that differ from the shipped ones, and the aliases."""
    for event, text in events.activities.items():
        shipped = shipped_events.activities[event]
        for key, template, same in (
            ("subject", text.subject, shipped.subject),
            ("comment", text.comment, shipped.comment),
        ):
            if template == same or "{" not in template:
                continue
            problem = find_template_problem(template)
            if problem:
                path: ConfigPath = ("activities", event, key)
                hint = "write {{ attribute }}, as in the shipped texts; the language is Jinja2"
                message = f"not a template: {problem.message}"
                yield Diagnostic.error(document.line(path, problem.line), format_path(path), message, hint)
    for name, alias in events.aliases.items():
        # An alias to itself makes the event known without `appcues:`, too.
        if name in BY_NAME and alias.as_ != name:
            message, hint = (
                f"{name} is an event that sfcode already handles",
                "list other events of Appcues, such as v2:experience_completed",
            )
        elif name.lower().startswith("appcues:"):
            message, hint = f"{name} begins with appcues:", f"write {name.partition(':')[2]}"
        else:
            continue
        yield document.problem(PathProblem(("aliases", name), message, hint, at="key"))


def warn_about_events(events: Events, document: Document, shipped_events: Events) -> Iterator[Diagnostic]:
    """
    Warn of names in texts that are attributes of another event, or similar to attributes of this one.

    Any other name may be a property that a product sends, which events contain too.
    """
    for event, text in events.activities.items():
        shipped, own = shipped_events.activities[event], event_attributes(event)
        other_attributes = frozenset().union(*map(event_attributes, ACTIVITY_EVENTS)) - own
        for key, template, same in (
            ("subject", text.subject, shipped.subject),
            ("comment", text.comment, shipped.comment),
        ):
            if template == same or "{" not in template:
                continue
            path: ConfigPath = ("activities", event, key)
            for name in find_template_names(template):
                near = None if name in own or name.startswith("_") else find_nearest_name(name, sorted(own))
                if name not in other_attributes and near is None:
                    continue
                message = f"{name} is not a known attribute of {event} events, and would be blank"
                hint = f"write {near}" if near else f"use one of: {', '.join(sorted(own))}"
                yield Diagnostic.error(document.find(path, name), format_path(path), message, hint)
