"""Queue records that Salesforce did not send: reconcile after an outage, backfill once."""
