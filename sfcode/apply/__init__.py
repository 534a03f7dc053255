"""Apply a plan in ordered, repeatable steps."""
