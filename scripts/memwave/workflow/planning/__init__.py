"""The plan of a run: memory and time of each job as formulas of sizes, solver, inputs, requests."""
