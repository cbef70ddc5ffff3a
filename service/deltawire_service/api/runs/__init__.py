"""The routes of runs: make one, follow it, pause, resume and cancel it."""
