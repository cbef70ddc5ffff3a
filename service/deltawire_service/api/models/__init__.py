"""The routes of models: create, describe, step, change, read, and compute with them."""
