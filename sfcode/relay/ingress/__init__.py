"""Where messages come in: what Appcues and Salesforce send is checked, stored, and only then answered with yes."""

from sfcode.relay.ingress.limits import Limits
from sfcode.relay.ingress.routes import routes
from sfcode.relay.ingress.secrets import IngressSecrets, read_secrets, secret_problems

__all__ = ["IngressSecrets", "Limits", "read_secrets", "routes", "secret_problems"]
