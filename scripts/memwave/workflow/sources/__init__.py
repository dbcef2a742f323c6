"""Sources, the inputs that no job makes: recordings, matrices, labels, models of other runs."""
