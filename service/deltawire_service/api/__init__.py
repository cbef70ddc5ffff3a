"""The routes: one blueprint a file. From body to document, network, values, deltas, and back to a body."""
