"""Personal data (SF203) and session ids (SF208)."""

from __future__ import annotations

from collections.abc import Iterator

from sfcode.checks.personal_data import is_personal, listed
from sfcode.checks.rules import at
from sfcode.checks.snapshot import Snapshot
from sfcode.review.model import Finding


def check(side: Snapshot) -> Iterator[Finding]:
    """Find personal data that leaves, and what Salesforce has retired."""
    settings = side.project.settings.review.personal_data
    for one in side.project.resolved:
        for use in one.attributes:
            if is_personal(one.object, use.field, settings) and not listed(one.object, use.field, settings.accepted):
                text = f"{one.object}.{use.field} is personal data and is sent to Appcues"
                hint = f"leave it out, or accept it in sfcode.yaml: review.personal_data.accepted: [{one.object}.{use.field}]"
                yield at("SF203", use.place, text, hint)
    for component in side.desired.components:
        if component.type == "WorkflowOutboundMessage" and component.body.get("includeSessionId") is True:
            text = "the template asks for session ids, which Salesforce no longer puts into outbound messages"
            place = side.template_line("WorkflowOutboundMessage", "<includeSessionId>")
            yield at("SF208", place, text, "write <includeSessionId>false</includeSessionId>")
