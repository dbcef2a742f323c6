"""Jobs: what each is asked to do, what it reads and writes, and what its result depends on."""
