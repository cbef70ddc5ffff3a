"""Check rule 5, `saved`: what equations keep in memory, and the declaration to paste."""
