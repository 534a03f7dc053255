"""GitHub: the pull request comment, the issue about drift, and the results of a workflow step."""
