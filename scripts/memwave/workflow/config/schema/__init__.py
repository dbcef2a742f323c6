"""The schema of the configuration, what it adds to one, and what it says of an invalid one."""
