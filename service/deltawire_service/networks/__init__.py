"""The networks of a process: compiled ones kept in a cache, published ones, and the tensors of requests."""
