"""What the Snakefile uses: the plan as functions of wildcards."""
