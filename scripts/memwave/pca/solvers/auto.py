"""The solver that is the fastest of those that are exact enough and fit the memory.

`memwave.workflow.planning.choice` replaces it by another solver before anything runs.
"""

OPTIONS: dict[str, dict] = {
    "tolerance": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1e-5,
        "description": "Guaranteed distance of each eigenvalue from a true one, as a share of the "
        "largest. Of the solvers that guarantee it and fit into max_mem_mb, the one with the "
        "smallest estimated time is taken.",
    },
}
