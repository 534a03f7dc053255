"""The local org: an emulator of a Salesforce org on this machine, spoken to over the same APIs."""
