"""The workflow: the process of a job, the configuration and its checks, the plan, result paths.

May import all other packages. The Snakefile uses `rules`.
"""
