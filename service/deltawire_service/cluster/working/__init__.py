"""The worker's side: how it starts, what it reads, and what it keeps."""
