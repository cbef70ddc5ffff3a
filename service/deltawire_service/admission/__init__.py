"""Decide who may compute, how much and until when: keys, rate limits, deadlines, the compute queue."""
