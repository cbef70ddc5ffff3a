"""Noise inputs: numbers that the service draws for each example, from a seed."""
