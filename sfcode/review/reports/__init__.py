"""A review as text, Markdown, JSON, SARIF and GitHub annotations."""
