"""A process of the workflow: a job with its memory limit and log, and Snakemake itself."""
