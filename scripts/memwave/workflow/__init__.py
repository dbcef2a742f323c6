"""The workflow: a job as a process, the configuration and its checks, the plan, paths of results.

May import every other room. `rules` is what the Snakefile uses.
"""
