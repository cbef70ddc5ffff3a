"""Gradients on other machines: segments of large computations are sent to the workers of a Dask scheduler.

The service describes a segment, sends it as a task, and adds up the results in order. Files of the service
have the arrays that are large. Only `client.py` and the worker's side import Dask.
"""
