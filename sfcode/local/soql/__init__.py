"""SOQL: parse a query, and run it."""
