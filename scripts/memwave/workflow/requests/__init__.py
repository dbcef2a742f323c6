"""Requests of jobs: one frozen dataclass for each stage, without the paths of its files.

A request follows from the plan alone. Equal requests on equal inputs make equal bytes. Each module
has the requests of the rules in the file of its name, such as ``rules/model.smk``.
"""
