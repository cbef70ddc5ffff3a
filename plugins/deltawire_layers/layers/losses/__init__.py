"""Losses: one number per example, a value of shape ().

Every loss takes one more input of shape (), a weight for each example, which multiplies its loss.
"""
