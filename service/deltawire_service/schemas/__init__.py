"""The documents of the API: what requests look like, how they are read, what responses look like."""
