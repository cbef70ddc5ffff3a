"""Layers that reduce windows of the last axes of an example to one number each."""
