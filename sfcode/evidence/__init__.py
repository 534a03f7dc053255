"""Collect redacted responses of a real org to questions that the emulator cannot answer, in one file."""
