"""Compile a network: from its spec to names, layers, an order, shapes and parameters."""
