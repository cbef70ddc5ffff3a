"""The engine on the workers of a Dask scheduler, beside one process."""
