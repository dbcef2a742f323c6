"""Few vectors of great length: spaces of products with a covariance, and eigenpairs within them."""
