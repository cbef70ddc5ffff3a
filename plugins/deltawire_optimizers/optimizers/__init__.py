"""The optimizers that come with deltawire."""
