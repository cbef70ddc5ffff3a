"""Runs, which train models in the background: `Model.fit` starts one, `Client.run` finds one."""
