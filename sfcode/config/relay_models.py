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
    """How the relay authenticates webhooks of Appcues."""

    scheme: Literal["none", "path", "header", "bearer", "basic", "hmac", "standard_webhooks"] = Field(
        default="path",
        description="path: a token in the URL; header: a token in the named header; bearer, basic: in the "
        "Authorization header; hmac: a signature of the body in the named header; standard_webhooks: signed as "
        "standardwebhooks.com specifies; none: not at all, for a relay on this machine only.",
    )
    header: HeaderName | None = Field(
        default=None, description="Name of the header, for header and hmac.", examples=["X-Token"]
    )
    algorithm: Literal["sha1", "sha256", "sha512"] | None = Field(
        default=None, description="For hmac: the hash; sha256 when left out."
    )
    encoding: Literal["hex", "base64"] | None = Field(
        default=None, description="For hmac: how the signature is written; hex when left out."
    )
    prefix: str | None = Field(
        default=None,
        pattern=names.PRINTABLE,
        description="For hmac: what stands before the signature in its header.",
        examples=["sha256="],
    )
    timestamp_header: HeaderName | None = Field(
        default=None,
        description="For hmac: the header with the time of signing, which `signed` then has to hold.",
        examples=["X-Timestamp"],
    )
    signed: str | None = Field(
        default=None,
        pattern=names.TEXT,
        description="For hmac: what is signed, with {body}, {timestamp} and {id} (the header of message_id) in their "
        "places; {body} when left out.",
        examples=["{timestamp}.{body}"],
    )
    tolerance: int | None = Field(
        default=None,
        ge=1,
        le=86400,
        description="For standard_webhooks, and for hmac with a timestamp: how many seconds the time of signing may be "
        f"away from now; {DEFAULT_TOLERANCE} when left out.",
    )


class MessageId(Model):
    """Where Appcues' events have an id: in a request header, or in each event."""

    header: HeaderName | None = Field(
        default=None,
        description="Name of the header that holds the id. Where requests are signed, it has to be signed too.",
        examples=["X-Event-Id"],
    )
    path: str | None = Field(
        default=None,
        pattern=names.DOTTED,
        description="Where the event holds it: keys with dots between them.",
        examples=["event_id"],
    )


class ClientCertificate(Model):
    """The header in which a proxy passes on Salesforce's client certificate."""

    header: HeaderName = Field(
        description="Name of the header that the proxy sets; it has to remove the client's own.",
        examples=["X-Client-Cert-Fingerprint"],
    )
    value: str = Field(
        pattern=names.PRINTABLE,
        description="What the header has to hold, exactly: a fingerprint or a subject, say.",
        examples=["CN=proxy.salesforce.com"],
    )


class Outbound(Model):
    """The allowed senders of outbound messages, in addition to the secret in the URL."""

    networks: Networks = Field(
        default=(),
        description="Networks that they may come from, such as those that Salesforce publishes; any when left out.",
        examples=[["13.108.0.0/14"]],
    )
    client_certificate: ClientCertificate | None = Field(
        default=None, description="What a proxy says of the certificate that Salesforce showed to it."
    )


class Retention(Model):
    """How long the relay keeps finished messages, in days."""

    delivered_days: int = Field(
        default=14,
        ge=2,
        le=3650,
        description="Delivered messages. Salesforce repeats a message for a day, and a repetition is known by the row that is "
        "kept.",
    )
    parked_days: int = Field(default=90, ge=2, le=3650, description="Messages that wait for a person.")
    given_up_days: int = Field(default=90, ge=2, le=3650, description="Messages that were given up.")


class Schedule(Model):
    """What the relay does by itself, and how often. One process at a time does it."""

    reconcile_hours: int | None = Field(
        default=None,
        ge=1,
        le=720,
        description="Hours between two runs of `sfcode relay reconcile`, which finds changes that Salesforce sent no message "
        "of; never when left out.",
        examples=[6],
    )
    refresh_hours: int | None = Field(
        default=None,
        ge=1,
        le=720,
        description="Hours between two runs of `sfcode relay refresh`, which reads all records and sends what differs, such as "
        "formulas and roll-ups; never when left out.",
        examples=[24],
    )

    @property
    def hours(self) -> dict[str, int]:
        """Hours between two runs, by job, without those that never run."""
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
        description="jwt: with a certificate, whose private key the relay holds; client_credentials: with the app's "
        "consumer secret.",
        examples=["jwt"],
    )
    certificate: Annotated[str, Convert(_certificate)] | None = Field(
        default=None,
        description="For jwt: the certificate in PEM form, which is public. Its private key belongs into no file here.",
    )


class Relay(Model):
    """The URL of the relay, and how it writes."""

    url: Annotated[str, Convert(check_relay_url)] = Field(
        description="Public address of the relay: https, on port 443 or 1024 to 65535, the ones that Salesforce "
        "sends outbound messages to. http only on this machine.",
        examples=["https://relay.example.com"],
    )
    webhook_auth: WebhookAuth = Field(
        default=WebhookAuth(), description="How the relay knows that a webhook comes from Appcues."
    )
    message_id: MessageId | None = Field(
        default=None,
        description="Where Appcues' events carry an id of their own. When left out: `webhook-id` with the scheme "
        "standard_webhooks, else a hash of name, user, time and attributes.",
    )
    outbound_secret: str = Field(
        default=DEFAULT_OUTBOUND,
        pattern=names.OUTBOUND,
        description="Name of the secret in the address that Salesforce sends outbound messages to.",
    )
    outbound: Outbound = Field(
        default=Outbound(), description="Who may send outbound messages, besides knowing the secret."
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="Networks of the proxies before the relay, whose X-Forwarded-For and client certificate header are "
        "believed; nobody's when left out.",
        examples=[["10.0.0.0/8"]],
    )
    sign_in: SignInSettings | None = Field(
        default=None,
        description="The app by which the relay signs in to Salesforce. When left out, none is made, and the relay "
        "signs in by one that is there.",
    )
    activities_as: Literal["event", "task", "custom_object"] = Field(
        default="event", description="What an Appcues event becomes in Salesforce."
    )
    retention: Retention = Field(default=Retention(), description="How long the relay keeps finished messages.")
    schedule: Schedule = Field(default=Schedule(), description="What the relay does by itself, and how often.")
    api_calls_per_day: int | None = Field(
        default=None,
        ge=100,
        description="How many requests to Salesforce the relay may make in 24 hours, all processes together; then deliveries "
        "wait. Without it, only the org's own limit counts.",
        examples=[20000],
    )
    notify: tuple[NotifyReceiver, ...] = Field(
        default=(), description="Who is notified of the relay's alarms; nobody when left out."
    )
    redact_feedback: bool = Field(
        default=False,
        description="Whether feedback texts are removed from the relay's database once they are delivered.",
    )
    run_assignment_rules: bool = Field(
        default=False,
        description="Whether the relay's writes run lead assignment rules, by which a new score may hand a lead to another "
        "owner (header Sforce-Auto-Assign).",
    )
    allow_duplicates: bool = Field(
        default=True,
        description="Whether the relay updates records that a duplicate rule alerts about; an update makes no duplicate "
        "(header Sforce-Duplicate-Rule-Header, allowSave).",
    )
