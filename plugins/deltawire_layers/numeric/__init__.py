"""Right and fast numbers for layers: analytic functions, branches, matrix products, sums and windows."""
