"""Ingress: check and commit what Appcues and Salesforce send before it is acknowledged."""

from sfcode.relay.ingress.limits import IngressLimits
from sfcode.relay.ingress.routes import IngressRouter, build_router
from sfcode.relay.ingress.secrets import IngressSecrets, read_secrets, secret_problems

__all__ = ["IngressLimits", "IngressRouter", "IngressSecrets", "build_router", "read_secrets", "secret_problems"]
