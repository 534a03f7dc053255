"""Carrying out a plan: ordered steps, each repeatable."""
