"""What a web server process needs: the gunicorn worker, body reading, memory, addresses, readiness."""
