"""The common parts of all HTTP APIs of the local org: server, calls, responses, SOAP envelopes, fault injection."""
