"""Numerical functions for layers: analytic functions, branches, matrix products, sums and windows."""
