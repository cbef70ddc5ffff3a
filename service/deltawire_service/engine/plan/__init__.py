"""Decide what a request computes before it computes anything: targets, program, memory, input checks."""
