"""The local org's Metadata API: SOAP, the REST deploy resource, and as much of Tooling as flows need."""
