"""Convolutions, in torch's layout: channels first, then the axes the kernel slides along.

The kernel is not reversed: networks call convolution what is, strictly, correlation.
"""
