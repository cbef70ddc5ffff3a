"""Served networks inside other frameworks: `torch`, `jax` and `sklearn`, each behind an extra of its name."""
