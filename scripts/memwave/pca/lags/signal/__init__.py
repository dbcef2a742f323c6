"""What a fit from the signal needs that only multiplies with the covariance of the windows."""
