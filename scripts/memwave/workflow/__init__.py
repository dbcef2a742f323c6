"""The workflow: the process of a job, the configuration and its checks, the plan, result paths.

May import every other room. The Snakefile uses `rules`.
"""
