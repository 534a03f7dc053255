"""Rules that concern more than one value. Each is a pure generator of problems."""
