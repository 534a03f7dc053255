"""The command line: one verb per file, which parses options, calls the package that does the work, and prints."""
