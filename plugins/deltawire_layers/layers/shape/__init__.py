"""Layers that rearrange or reduce the axes of an example, counted without the batch; −1 is the last."""
