"""What an org answers to the questions that only a real org can settle, redacted, in one file."""
