"""Checks before the first job: configuration, sheets, headers of files, memory."""
