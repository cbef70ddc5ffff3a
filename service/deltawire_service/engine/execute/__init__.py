"""Execute a program on a batch: calls of layers, both passes, chunks of rows, threads, traces."""
