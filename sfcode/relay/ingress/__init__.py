"""Where messages come in: what Appcues and Salesforce send is checked, stored, and only then answered with yes."""

from sfcode.relay.ingress.limits import IngressLimits
from sfcode.relay.ingress.routes import routes
from sfcode.relay.ingress.secrets import IngressSecrets, read_secrets, secret_problems

__all__ = ["IngressLimits", "IngressSecrets", "read_secrets", "routes", "secret_problems"]
