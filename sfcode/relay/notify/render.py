"""Render a notification as an HTTP request in the format of its receiver."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Self

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.inbox.notifications import AlarmNotification
from sfcode.relay.ingress.auth.scheme import sign_with_each
from sfcode.relay.ingress.auth.standard import key_of
from sfcode.relay.notify.receivers import Receiver
from sfcode.relay.reasons import Reason, alarm_reason

TITLES = {
    "raised": "Alarm {}",
    "repeated": "Alarm {}, not acknowledged",
    "resolved": "Acknowledged: alarm {}",
    "test": "A test of relay.notify",
}


@dataclass(frozen=True, slots=True)
class NotifyingRelay:
    """Identifies the relay in its notifications."""

    project: str
    environment: str

    @classmethod
    def of(cls, project: Project) -> Self:
        """Return the relay of a project."""
        return cls(project.settings.name, project.environment)


@dataclass(frozen=True, slots=True)
class NotifyRequest:
    """Headers and body of a request."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def render_notification(
    notification: AlarmNotification, receiver: Receiver, sender: NotifyingRelay, now: datetime
) -> NotifyRequest:
    """Render a notification, signed with the time `now` if its receiver requires a signature."""
    reason = alarm_reason(notification.name)
    if receiver.form == "slack":
        text = _slack_text(notification, reason, sender)
        return NotifyRequest(json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})
    body = json.dumps(_document(notification, reason, sender, now), separators=(",", ":")).encode()
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    second = f"{int(now.timestamp())}"
    head = f"{notification.id}.{second}.".encode()
    (signature,) = sign_with_each([key_of(receiver.secret)], [head, body], "sha256")
    return NotifyRequest(
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": notification.id,
            "webhook-timestamp": second,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        },
    )


def _document(
    notification: AlarmNotification, reason: Reason, sender: NotifyingRelay, now: datetime
) -> dict[str, object]:
    return {
        "type": f"alarm.{notification.event}",
        "timestamp": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "data": {
            "project": sender.project,
            "environment": sender.environment,
            "alarm": notification.name,
            "detail": notification.detail,
            "times": notification.times,
            "last_raised_at": notification.raised_at or None,
            "meaning": reason.meaning,
            "action": reason.hint,
        },
    }


def _slack_text(notification: AlarmNotification, reason: Reason, sender: NotifyingRelay) -> str:
    title = TITLES[notification.event].format(notification.name)
    lines = [f"*{_escape(title)}* ({_escape(sender.project)}, {_escape(sender.environment)})"]
    if notification.detail:
        lines.append(_escape(notification.detail))
    if notification.event in ("raised", "repeated"):
        times = f" It was raised {notification.times} times, last at {notification.raised_at}."
        lines.append(_escape(f"{reason.meaning}.{times if notification.times > 1 else ''} {reason.hint}".strip()))
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Escape the three characters that Slack interprets as markup: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
