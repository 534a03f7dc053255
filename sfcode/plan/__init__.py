"""Compare what a project asks for with an org. `gather` and `planner` read the org; all other modules are pure."""
