"""Catching up: what Salesforce could not send, or never had to, is asked for and put into the inbox."""
