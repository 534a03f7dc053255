"""What all HTTP APIs of the local org share: server, calls, responses, SOAP envelopes, fault injection."""
