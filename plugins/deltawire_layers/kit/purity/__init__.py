"""Check that calls of a layer give the same bits: again, at the same time, whatever was called before."""
