"""Products of matrices: who computes them, and in which pieces."""
