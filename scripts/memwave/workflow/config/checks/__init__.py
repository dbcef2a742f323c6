"""Everything that can be known to be wrong before the first job."""
