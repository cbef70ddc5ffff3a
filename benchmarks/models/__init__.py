"""Models that learn: steps over HTTP beside torch's own, and beside what the disk takes."""
