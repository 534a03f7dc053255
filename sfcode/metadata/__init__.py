"""Salesforce metadata, without knowledge of the mapping language."""
