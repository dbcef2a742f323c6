"""The solver that is the fastest of those that are exact enough and fit the memory.

`memwave.workflow.planning.choice` replaces it by another solver before anything runs.
"""

OPTIONS: dict[str, dict] = {
    "tolerance": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1e-5,
        "description": "How far an eigenvalue may be from a true one, as a share of the largest. "
        "The solver is the fastest by estimate of those that guarantee it within max_mem_mb.",
    },
}
