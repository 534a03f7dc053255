"""What every HTTP API of the local org shares: the web server, calls, answers, SOAP envelopes, faults on the way."""
