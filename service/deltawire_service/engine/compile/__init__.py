"""From a spec to a network: names, layers, order, shapes, parameters."""
