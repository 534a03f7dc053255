"""A plan as text, Markdown and HTML; as JSON it is in `document`."""
