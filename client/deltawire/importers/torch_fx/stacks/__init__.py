"""Translate modules of torch that stack many layers."""
