"""What keeps the numbers of layers right and fast: analytic functions, matrix products, windows."""
