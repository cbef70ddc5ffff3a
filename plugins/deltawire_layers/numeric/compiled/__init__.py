"""Losses, norms, windows and recurrent cells by compiled kernels; `kernels.py` has what all of them need."""
