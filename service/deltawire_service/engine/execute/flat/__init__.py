"""Programs that repeat, as straight-line code, and the gates in them that one call computes."""
