"""Layers that go through a sequence step by step; before the first step, their state is zero, or an input.

Parameters lie as in torch's cells: one matrix for the input and one for the previous state, with the rows of
all gates below each other. The signal runs back through time once and computes δ of both preactivations at
every step, u = W_ih xₜ + b_ih and s = W_hh hₜ₋₁ + b_hh. Every equation is a product with one of the two.
"""
