"""What Salesforce metadata is, knowing nothing of our config."""
