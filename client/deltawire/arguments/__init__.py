"""Checks of what callers pass, and the names of other libraries that they use by mistake."""
