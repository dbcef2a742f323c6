"""What a job will need, as formulas of sizes: memory, time, the solver."""
