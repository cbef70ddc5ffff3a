"""Layers of one input that work on every number by itself."""
