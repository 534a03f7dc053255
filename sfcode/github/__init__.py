"""GitHub: the comment on a pull request, the issue about drift, and what a workflow's step writes."""
