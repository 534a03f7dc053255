"""The models of the relay's settings in `sfcode.yaml`."""

from typing import Annotated, Literal

from sfcode.config import names
from sfcode.config.base import Model
from sfcode.config.fields import ConfigValueError, Convert, Field
from sfcode.config.notify_models import NotifyReceiver
from sfcode.config.pem import certificate_text
from sfcode.config.urls import check_network, check_relay_url

DEFAULT_OUTBOUND = "${secret:SFCODE_RELAY_OUTBOUND_SECRET}"
DEFAULT_TOLERANCE = 300

Network = Annotated[str, Convert(check_network)]
Networks = tuple[Network, ...]
HeaderName = Annotated[str, Field(pattern=names.HEADER)]


class WebhookAuth(Model):
    """The authentication of Appcues' webhooks."""

    scheme: Literal["none", "path", "header", "bearer", "basic", "hmac", "standard_webhooks"] = Field(
        default="path",
        description="path: a token in the URL; header: a token in the named header; bearer, basic: a token in the "
        "Authorization header; hmac: a signature of the body in the named header; standard_webhooks: a signature as "
        "specified by standardwebhooks.com; none: no authentication, only for a relay on this machine.",
    )
    header: HeaderName | None = Field(
        default=None, description="Name of the header, for header and hmac.", examples=["X-Token"]
    )
    algorithm: Literal["sha1", "sha256", "sha512"] | None = Field(
        default=None, description="For hmac: the hash algorithm; sha256 by default."
    )
    encoding: Literal["hex", "base64"] | None = Field(
        default=None, description="For hmac: the encoding of the signature; hex by default."
    )
    prefix: str | None = Field(
        default=None,
        pattern=names.PRINTABLE,
        description="For hmac: the prefix of the signature in its header.",
        examples=["sha256="],
    )
    timestamp_header: HeaderName | None = Field(
        default=None,
        description="For hmac: the header with the time of signing, which `signed` must then contain.",
        examples=["X-Timestamp"],
    )
    signed: str | None = Field(
        default=None,
        pattern=names.TEXT,
        description="For hmac: the signed text, with the placeholders {body}, {timestamp} and {id} (the header of "
        "message_id); {body} by default.",
        examples=["{timestamp}.{body}"],
    )
    tolerance: int | None = Field(
        default=None,
        ge=1,
        le=86400,
        description="For standard_webhooks, and for hmac with a timestamp: how many seconds the time of signing may "
        f"differ from the relay's clock; by default {DEFAULT_TOLERANCE}.",
    )


class MessageId(Model):
    """The place of the IDs of Appcues' events: a request header, or a path in each event."""

    header: HeaderName | None = Field(
        default=None,
        description="Name of the header with the ID. If requests are signed, it must be signed too.",
        examples=["X-Event-Id"],
    )
    path: str | None = Field(
        default=None,
        pattern=names.DOTTED,
        description="The path of the ID in the event: keys separated by dots.",
        examples=["event_id"],
    )


class ClientCertificate(Model):
    """The header in which a proxy passes Salesforce's client certificate."""

    header: HeaderName = Field(
        description="Name of the header that the proxy sets; the proxy must remove this header from requests of clients.",
        examples=["X-Client-Cert-Fingerprint"],
    )
    value: str = Field(
        pattern=names.PRINTABLE,
        description="The exact value of the header, for example a fingerprint or a subject.",
        examples=["CN=proxy.salesforce.com"],
    )


class Outbound(Model):
    """The allowed senders of outbound messages, in addition to the secret in the URL."""

    networks: Networks = Field(
        default=(),
        description="Networks from which messages may be sent, such as those that Salesforce publishes; by default any.",
        examples=[["13.108.0.0/14"]],
    )
    client_certificate: ClientCertificate | None = Field(
        default=None, description="The client certificate of Salesforce, as a proxy reports it."
    )


class Retention(Model):
    """How long the relay keeps finished messages and audit lines, in days."""

    delivered_days: int = Field(
        default=14,
        ge=2,
        le=3650,
        description="Days to keep delivered messages. Salesforce may repeat a message for a day, and the relay detects a "
        "repetition by the stored one.",
    )
    parked_days: int = Field(default=90, ge=2, le=3650, description="Days to keep messages that wait for a person.")
    given_up_days: int = Field(default=90, ge=2, le=3650, description="Days to keep messages that were given up.")
    audit_days: int = Field(
        default=365, ge=30, le=3650, description="Days to keep audit lines: who changed what in the inbox, and when."
    )


class Schedule(Model):
    """Scheduled jobs of the relay, each run by one process at a time."""

    reconcile_hours: int | None = Field(
        default=None,
        ge=1,
        le=720,
        description="Hours between two runs of `sfcode relay reconcile`, which finds changes for which Salesforce "
        "sent no message; by default never.",
        examples=[6],
    )
    refresh_hours: int | None = Field(
        default=None,
        ge=1,
        le=720,
        description="Hours between two runs of `sfcode relay refresh`, which reads all records and sends values "
        "that differ, such as formulas and roll-ups; by default never.",
        examples=[24],
    )

    @property
    def hours(self) -> dict[str, int]:
        """Hours between two runs, by job, without jobs that never run."""
        every = {"reconcile": self.reconcile_hours, "refresh": self.refresh_hours}
        return {job: hours for job, hours in every.items() if hours}


def _certificate(value: object) -> object:
    if isinstance(value, str):
        try:
            certificate_text(value)
        except ValueError as error:
            raise ConfigValueError("certificate", what=str(error)) from error
    return value


class SignInSettings(Model):
    """The External Client App that sfcode generates for the relay's sign-in to Salesforce."""

    flow: Literal["jwt", "client_credentials"] = Field(
        description="jwt: with a certificate, whose private key the relay has; client_credentials: with the app's "
        "consumer secret.",
        examples=["jwt"],
    )
    certificate: Annotated[str, Convert(_certificate)] | None = Field(
        default=None,
        description="For jwt: the certificate in PEM form, which is public. Its private key must not be in a file of the project.",
    )


class Relay(Model):
    """The URL of the relay, and its settings."""

    url: Annotated[str, Convert(check_relay_url)] = Field(
        description="Public URL of the relay: https, on port 443 or 1024 to 65535, to which Salesforce sends "
        "outbound messages. http only on this machine.",
        examples=["https://relay.example.com"],
    )
    webhook_auth: WebhookAuth = Field(
        default=WebhookAuth(), description="How the relay authenticates webhooks of Appcues."
    )
    message_id: MessageId | None = Field(
        default=None,
        description="The place of the IDs of Appcues' events. By default `webhook-id` with the scheme "
        "standard_webhooks, else a hash of name, user, time and attributes.",
    )
    outbound_secret: str = Field(
        default=DEFAULT_OUTBOUND,
        pattern=names.OUTBOUND,
        description="Name of the secret in the URL to which Salesforce sends outbound messages.",
    )
    outbound: Outbound = Field(
        default=Outbound(), description="Restrictions on the senders of outbound messages, in addition to the secret."
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="Networks of the proxies in front of the relay, whose X-Forwarded-For and client certificate "
        "header are trusted; by default none.",
        examples=[["10.0.0.0/8"]],
    )
    sign_in: SignInSettings | None = Field(
        default=None,
        description="The app with which the relay signs in to Salesforce. Without it, sfcode generates no app, and "
        "the relay needs an existing one.",
    )
    activities_as: Literal["event", "task", "custom_object"] = Field(
        default="event", description="The Salesforce object for activities."
    )
    retention: Retention = Field(default=Retention(), description="The retention of finished messages and audit lines.")
    schedule: Schedule = Field(default=Schedule(), description="Scheduled jobs of the relay.")
    api_calls_per_day: int | None = Field(
        default=None,
        ge=100,
        description="The budget of requests to Salesforce in 24 hours, for all relay processes together, after "
        "which deliveries wait. Without it, only the org's own limit applies.",
        examples=[20000],
    )
    notify: tuple[NotifyReceiver, ...] = Field(
        default=(), description="Receivers of the relay's alarms; by default none."
    )
    redact_feedback: bool = Field(
        default=False,
        description="Whether feedback texts are removed from the relay's database once they are delivered.",
    )
    run_assignment_rules: bool = Field(
        default=False,
        description="Whether the relay's writes run lead assignment rules, which may change the owner of a lead "
        "with a new score (header Sforce-Auto-Assign).",
    )
    allow_duplicates: bool = Field(
        default=True,
        description="Whether the relay updates records for which a duplicate rule alerts; an update creates no "
        "duplicate (header Sforce-Duplicate-Rule-Header, allowSave).",
    )
