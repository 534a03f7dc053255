"""The command line: one verb per file, each parses, calls, prints and returns a code."""
