"""What programs expect of an estimator: parameters, fitted attributes, kinds of output."""
