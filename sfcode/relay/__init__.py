"""The relay: a durable service that carries data between Appcues and Salesforce, both ways."""
