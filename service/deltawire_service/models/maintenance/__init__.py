"""Maintenance: what keeps the store sound, small and movable. Requests do not need it, except for limits."""
