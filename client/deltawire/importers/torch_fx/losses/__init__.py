"""Translate torch's losses."""
