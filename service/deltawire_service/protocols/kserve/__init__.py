"""The protocol KServe V2, with Triton's binary extension."""
