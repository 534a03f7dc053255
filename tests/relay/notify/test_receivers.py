"""The URLs and secrets that receivers may have, and `relay notify`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from standardwebhooks import Webhook

from sfcode.config.notify_models import AlarmName
from sfcode.errors import ConfigError
from sfcode.relay.notify.receivers import read_receivers
from sfcode.relay.reasons import ALARMS
from tests.e2e.journey import Journey
from tests.relay.ingress.asking import project
from tests.relay.notify.receiver import SECRET, receiving

BOTH = """notify: [
  {form: slack, url_variable: SLACK_URL, alarms: [salesforce_quota], repeat_hours: 4},
  {form: standard_webhooks, url_variable: ALERTS_URL, secret_variable: ALERTS_SECRET}]"""
ENVIRON = {
    "SLACK_URL": "https://hooks.slack.com/services/T0/B0/X",
    "ALERTS_URL": " http://localhost:8080/a ",
    "ALERTS_SECRET": SECRET,
}


def test_a_config_can_choose_every_alarm():
    assert set(get_args(AlarmName)) == set(ALARMS)


def test_urls_and_secrets_come_from_the_environment(tmp_path: Path):
    slack, alerts = read_receivers(project(tmp_path, BOTH), ENVIRON)
    assert (slack.name, slack.form, slack.rule.alarms) == ("SLACK_URL", "slack", ("salesforce_quota",))
    assert slack.rule.repeat.total_seconds() == 4 * 3600
    assert (alerts.url.reveal(), alerts.secret.reveal()) == ("http://localhost:8080/a", SECRET)
    assert SECRET not in repr(alerts)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SLACK_URL", "", "SLACK_URL: is not set, and relay.notify refers to it"),
        ("SLACK_URL", "hooks.slack.com/x", "SLACK_URL: is not a URL"),
        ("SLACK_URL", "https://a b.example.com", "SLACK_URL: is not a URL"),
        ("SLACK_URL", "https://user:word@example.com/", "SLACK_URL: is not a URL"),
        ("SLACK_URL", "https://[::1", "SLACK_URL: is not a URL"),
        ("SLACK_URL", "http://hooks.example.com/x", "SLACK_URL: does not begin with https"),
        ("SLACK_URL", "ftp://127.0.0.1/x", "SLACK_URL: does not begin with https"),
        ("SLACK_URL", "https://169.254.169.254/latest", "SLACK_URL: leads to 169.254.169.254, the metadata service"),
        ("SLACK_URL", "https://[fe80::1]/", "SLACK_URL: leads to fe80::1, the metadata service"),
        ("SLACK_URL", "https://[::ffff:169.254.169.254]/", "SLACK_URL: leads to ::ffff:"),
        ("SLACK_URL", "https://Metadata.Google.Internal./x", "SLACK_URL: leads to metadata.google.internal"),
        ("ALERTS_SECRET", "", "ALERTS_SECRET: is not set; notifications are signed with it"),
        ("ALERTS_SECRET", "whsec_c2hvcnQ=", "ALERTS_SECRET: is not base64 of at least 24 bytes"),
        ("ALERTS_SECRET", "%%%", "ALERTS_SECRET: is not base64 of at least 24 bytes"),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused(tmp_path: Path, variable: str, value: str, message: str):
    with pytest.raises(ConfigError) as refused:
        read_receivers(project(tmp_path, BOTH), {**ENVIRON, variable: value})
    (problem,) = refused.value.problems
    assert message in str(problem)
    assert "word" not in str(problem)


@pytest.fixture
def journey(tmp_path: Path) -> Journey:
    journey = Journey.start(tmp_path)
    settings = journey.folder / "config" / "sfcode.yaml"
    text = settings.read_text(encoding="utf-8")
    added = BOTH.replace("\n", "\n    ")
    settings.write_text(text.replace("\nrelay:\n", f"\nrelay:\n  {added}\n", 1), encoding="utf-8")
    return journey


def test_a_test_is_sent_to_every_receiver_and_a_refusal_is_an_error(journey: Journey):
    with receiving() as slack, receiving() as alerts:
        environ = {"SLACK_URL": slack.url, "ALERTS_URL": alerts.url, "ALERTS_SECRET": SECRET}
        journey = replace(journey, environ={**journey.environ, **environ})
        result = journey.run("relay", "notify", "--test")
        assert result.out.splitlines() == [
            "SLACK_URL (slack; salesforce_quota): 200",
            "ALERTS_URL (standard_webhooks; all alarms): 200",
        ]
        assert Webhook(SECRET).verify(alerts.requests[0].body, alerts.requests[0].headers)["type"] == "alarm.test"
        assert "A test of relay.notify" in json.loads(slack.requests[0].body)["text"]
        slack.answers = [403]
        failed = journey.run("--json", "relay", "notify", "--test")
        assert failed.code == 1
        assert "SLACK_URL (403)" in failed.out + failed.err
        assert slack.url not in failed.out + failed.err
