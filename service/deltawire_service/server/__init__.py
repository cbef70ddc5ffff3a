"""The parts of a web server process: the gunicorn worker, body reading, memory, addresses, readiness."""
