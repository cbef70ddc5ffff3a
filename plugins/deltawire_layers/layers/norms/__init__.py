"""Layers that normalise: they bring numbers to one size, then scale (and shift) them by learned parameters.

The statistics are those of one example, or inputs. Statistics of a batch would make its examples depend on
each other.
"""
